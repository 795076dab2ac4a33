package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ---- an export made here ----

const realm = "splot.example"

type witness struct {
	name string
	key  ed25519.PrivateKey
	vkey string
	hash uint32
}

func newWitness(number byte) *witness {
	w := &witness{name: fmt.Sprintf(realm+"/witness/%02d", number)}
	w.key = ed25519.NewKeyFromSeed(append(make([]byte, 31), number))
	raw := append([]byte{algCosignature}, w.key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(w.name+"\n"), raw...))
	w.hash = binary.BigEndian.Uint32(sum[:])
	w.vkey = fmt.Sprintf("%s+%08x+%s", w.name, w.hash, base64.StdEncoding.EncodeToString(raw))
	return w
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Sign(text []byte) ([]byte, error) {
	const at = 1763760600
	body := binary.BigEndian.AppendUint64(nil, at)
	return append(body, ed25519.Sign(w.key, append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), text...))...), nil
}

// A sample is a log of made-up entries; those in erased are redacted.
type sample struct {
	origin  string
	signer  note.Signer
	vkey    string
	entries [][]byte
	erased  map[int64]bool
	hashes  []tlog.Hash
}

func (s *sample) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, i := range indexes {
		found = append(found, s.hashes[i])
	}
	return found, nil
}

func newSample(t *testing.T, origin string, size int) *sample {
	t.Helper()
	s := &sample{origin: origin, erased: map[int64]bool{}}
	seed := sha256.Sum256([]byte(origin))
	key := ed25519.NewKeyFromSeed(seed[:])
	var err error
	if s.vkey, err = note.NewEd25519VerifierKey(origin, key.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	hash := strings.SplitN(s.vkey, "+", 3)[1]
	raw := append([]byte{1}, key.Seed()...)
	s.signer, err = note.NewSigner("PRIVATE+KEY+" + origin + "+" + hash + "+" + base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < size; i++ {
		entry := []byte(fmt.Sprintf("entry %d of %s", i, origin))
		more, err := tlog.StoredHashes(int64(i), entry, s)
		if err != nil {
			t.Fatal(err)
		}
		s.entries = append(s.entries, entry)
		s.hashes = append(s.hashes, more...)
	}
	return s
}

func (s *sample) checkpoint(t *testing.T, by ...note.Signer) []byte {
	t.Helper()
	root := emptyRoot
	if len(s.entries) > 0 {
		var err error
		if root, err = tlog.TreeHash(int64(len(s.entries)), s); err != nil {
			t.Fatal(err)
		}
	}
	text := fmt.Sprintf("%s\n%d\n%v\n", s.origin, len(s.entries), root)
	raw, err := note.Sign(&note.Note{Text: text}, append([]note.Signer{s.signer}, by...)...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

func (s *sample) bundle(tile tlog.Tile) []byte {
	var raw []byte
	for i := tile.N * width; i < tile.N*width+int64(tile.W); i++ {
		entry := s.entries[i]
		if s.erased[i] {
			entry = nil
		}
		raw = binary.BigEndian.AppendUint16(raw, uint16(len(entry)))
		raw = append(raw, entry...)
	}
	return raw
}

func (s *sample) redactedLine(index int64) string {
	return fmt.Sprintf("%d %v -\n", index, s.hashes[tlog.StoredHashIndex(0, index)])
}

func (s *sample) export(t *testing.T, dir string, by ...note.Signer) {
	t.Helper()
	for _, tile := range tilesOf(int64(len(s.entries))) {
		raw, err := tlog.ReadTileData(tile, s)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, tilePath(tile)), raw)
		if tile.L == 0 {
			tile.L = -1
			write(t, filepath.Join(dir, tilePath(tile)), s.bundle(tile))
		}
	}
	var redacted strings.Builder
	for index := range s.erased {
		redacted.WriteString(s.redactedLine(index))
	}
	if redacted.Len() > 0 {
		write(t, filepath.Join(dir, "redacted"), []byte(redacted.String()))
	}
	write(t, filepath.Join(dir, "log.vkey"), []byte(s.vkey+"\n"))
	write(t, filepath.Join(dir, "checkpoint"), s.checkpoint(t, by...))
}

func expect(t *testing.T, what string, good bool, err error) {
	t.Helper()
	if good && err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !good && err == nil {
		t.Fatalf("%s: was not refused", what)
	}
}

func checkOne(dir string) error { return checkExport(io.Discard, dir, "", "") }

// ---- paths ----

func TestPathsAreThoseOfTheFormat(t *testing.T) {
	for path, tile := range map[string]tlog.Tile{
		"tile/0/000":                     {H: 8, L: 0, N: 0, W: 256},
		"tile/1/x001/x234/067.p/17":      {H: 8, L: 1, N: 1234067, W: 17},
		"tile/entries/273.p/112":         {H: 8, L: -1, N: 273, W: 112},
		"tile/entries/x001/000":          {H: 8, L: -1, N: 1000, W: 256},
		"tile/8/000.p/1":                 {H: 8, L: 8, N: 0, W: 1},
		"tile/8/x008/x008/008.p/8":       {H: 8, L: 8, N: 8008008, W: 8},
		"tile/entries/x008/x008/008.p/8": {H: 8, L: -1, N: 8008008, W: 8},
	} {
		if got := tilePath(tile); got != path {
			t.Errorf("%v: %s, not %s", tile, got, path)
		}
		if got, err := parseTilePath(path); err != nil || got != tile {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	for _, path := range []string{"tile/0/0", "tile/0/000.p/256", "tile/0/000.p/0", "tile/00/000", "tile/data/000",
		"tile/entries/0000", "tile/0/x000/000", "tile/0/000.tmp"} {
		if tile, err := parseTilePath(path); err == nil {
			t.Errorf("%s: taken for %v", path, tile)
		}
	}
}

func TestALogHasTheTilesOfTheFormat(t *testing.T) {
	count := map[string]int{}
	for _, tile := range tilesOf(70000) { // as the format's own example says
		what := fmt.Sprintf("level %d, full", tile.L)
		if tile.W < width {
			what = fmt.Sprintf("level %d, width %d", tile.L, tile.W)
		}
		count[what]++
	}
	expected := map[string]int{"level 0, full": 273, "level 0, width 112": 1, "level 1, full": 1,
		"level 1, width 17": 1, "level 2, width 1": 1}
	if !reflect.DeepEqual(count, expected) {
		t.Errorf("%v, not %v", count, expected)
	}
}

// ---- exports ----

func TestExportsOfAllSizesHold(t *testing.T) {
	for _, size := range []int{0, 1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65537, 70000} {
		dir := filepath.Join(t.TempDir(), "26")
		newSample(t, realm+"/region/26", size).export(t, dir)
		expect(t, fmt.Sprint(size), true, checkOne(dir))
		expect(t, fmt.Sprint(size), true, checkOne(filepath.Dir(dir)))
	}
}

func TestEveryBitOfAnExportCounts(t *testing.T) {
	for _, size := range []int{1, 3, 257} {
		dir := filepath.Join(t.TempDir(), "26")
		newSample(t, realm+"/region/26", size).export(t, dir)
		step := 1
		if size > 100 {
			step = 997
		}
		var files []string
		filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err == nil && !info.IsDir() && filepath.Base(path) != "checkpoint" {
				files = append(files, path)
			}
			return err
		})
		if len(files) < 3 {
			t.Fatalf("%d: only %v", size, files)
		}
		for _, path := range files {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for bit := 0; bit < 8*len(raw); bit += step {
				raw[bit/8] ^= 1 << (bit % 8)
				write(t, path, raw)
				expect(t, fmt.Sprintf("%s, bit %d", path, bit), false, checkOne(dir))
				raw[bit/8] ^= 1 << (bit % 8)
			}
			write(t, path, raw)
		}
		expect(t, "put right again", true, checkOne(dir))
	}
}

func TestEveryBitOfASignedTextAndOfASignatureCounts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "26")
	s := newSample(t, realm+"/region/26", 3)
	s.export(t, dir)
	path := filepath.Join(dir, "checkpoint")
	raw := s.checkpoint(t)
	split := strings.Index(string(raw), "\n\n") + 1
	for bit := 0; bit < 8*split; bit++ {
		raw[bit/8] ^= 1 << (bit % 8)
		write(t, path, raw)
		expect(t, fmt.Sprint("text, bit ", bit), false, checkOne(dir))
		raw[bit/8] ^= 1 << (bit % 8)
	}
	space := strings.LastIndex(string(raw), " ") + 1
	signature, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw[space:])))
	if err != nil {
		t.Fatal(err)
	}
	for bit := 0; bit < 8*len(signature); bit++ {
		signature[bit/8] ^= 1 << (bit % 8)
		write(t, path, []byte(string(raw[:space])+base64.StdEncoding.EncodeToString(signature)+"\n"))
		expect(t, fmt.Sprint("signature, bit ", bit), false, checkOne(dir))
		signature[bit/8] ^= 1 << (bit % 8)
	}
}

func TestRedactedEntriesAreNamed(t *testing.T) {
	s := newSample(t, realm+"/region/26", 300)
	s.erased[7], s.erased[299] = true, true
	dir := filepath.Join(t.TempDir(), "26")
	s.export(t, dir)
	expect(t, "named", true, checkOne(dir))
	for what, text := range map[string]string{
		"one is not named":                    s.redactedLine(7),
		"one is named that is there":          s.redactedLine(7) + s.redactedLine(8) + s.redactedLine(299),
		"one is named that cannot be":         s.redactedLine(7) + s.redactedLine(299) + "3" + s.redactedLine(7),
		"one is named twice":                  s.redactedLine(7) + s.redactedLine(7) + s.redactedLine(299),
		"a number of another form":            "0" + s.redactedLine(7) + s.redactedLine(299),
		"the hash of another":                 s.redactedLine(7) + strings.Replace(s.redactedLine(8), "8 ", "299 ", 1),
		"an act that is neither number nor -": s.redactedLine(7) + strings.Replace(s.redactedLine(299), " -", " x", 1),
	} {
		write(t, filepath.Join(dir, "redacted"), []byte(text))
		expect(t, what, false, checkOne(dir))
	}
	write(t, filepath.Join(dir, "redacted"), []byte(s.redactedLine(299)+strings.Replace(s.redactedLine(7), "-", "17", 1)))
	expect(t, "as it should be", true, checkOne(dir))
}

func TestAFolderThatIsBeingWrittenHolds(t *testing.T) {
	old := newSample(t, realm+"/region/26", 300)
	dir := filepath.Join(t.TempDir(), "26")
	old.export(t, dir)
	grown := newSample(t, realm+"/region/26", 600)
	grown.export(t, dir)
	expect(t, "partial tiles of the smaller size left", true, checkOne(dir))
	write(t, filepath.Join(dir, "checkpoint"), old.checkpoint(t))
	expect(t, "tiles first", true, checkOne(dir))
	for _, path := range []string{"tile/0/001.p/44", "tile/entries/001.p/44"} {
		if err := os.Remove(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "the full tile in the place of a partial one", true, checkOne(dir))
	write(t, filepath.Join(dir, "checkpoint"), grown.checkpoint(t))
	write(t, filepath.Join(dir, "tile/0/001.p/44"), make([]byte, 44*32))
	expect(t, "a partial tile left that never was", false, checkOne(dir))
	os.Remove(filepath.Join(dir, "tile/0/001.p/44"))
	write(t, filepath.Join(dir, "tile/0/000.tmp"), nil)
	expect(t, "a file that is no tile", false, checkOne(dir))
	os.Remove(filepath.Join(dir, "tile/0/000.tmp"))
	expect(t, "put right again", true, checkOne(dir))
	os.Remove(filepath.Join(dir, "tile/1/000.p/2"))
	expect(t, "a tile is missing", false, checkOne(dir))
}

func TestAnOlderCheckpointIsOfTheSameHistory(t *testing.T) {
	dir := t.TempDir()
	s := newSample(t, realm+"/region/26", 300)
	s.export(t, filepath.Join(dir, "26"))
	path := filepath.Join(dir, "old")
	check := func(old *sample) error {
		write(t, path, old.checkpoint(t))
		return checkExport(io.Discard, filepath.Join(dir, "26"), "", path)
	}
	for _, size := range []int{0, 1, 255, 256, 300} {
		expect(t, fmt.Sprint(size), true, check(newSample(t, realm+"/region/26", size)))
	}
	expect(t, "newer", false, check(newSample(t, realm+"/region/26", 301)))
	expect(t, "of another log", false, check(newSample(t, realm+"/region/24", 5)))
	rival := newSample(t, realm+"/region/26", 5)
	for i := range rival.hashes {
		rival.hashes[i][0] ^= 1
	}
	expect(t, "another history", false, check(rival))
	write(t, path, s.checkpoint(t))
	expect(t, "of which log?", false, checkExport(io.Discard, dir, "", path))
}

func TestALogUnderAnotherNameIsRefused(t *testing.T) {
	dir := t.TempDir()
	newSample(t, realm+"/region/26/2", 3).export(t, filepath.Join(dir, "26-2"))
	expect(t, "26-2", true, checkOne(dir))
	newSample(t, realm+"/region/24", 3).export(t, filepath.Join(dir, "26"))
	expect(t, "24 under 26", false, checkOne(dir))
	expect(t, "nothing there", false, checkOne(t.TempDir()))
	one := filepath.Join(dir, "26")
	write(t, filepath.Join(one, "log.vkey"), []byte(newSample(t, realm+"/region/26", 0).vkey+"\n"))
	expect(t, "another key", false, checkOne(one))
}

// ---- witnesses ----

func TestTheQuorumIsCounted(t *testing.T) {
	dir := t.TempDir()
	s := newSample(t, realm+"/national/centrum", 9)
	var all []note.Signer
	var text, vkeys strings.Builder
	names := ""
	fmt.Fprintf(&text, "# who counts\n\nlog %s\n", s.vkey)
	for i := byte(2); i <= 32; i += 2 {
		w := newWitness(i)
		all = append(all, w)
		fmt.Fprintf(&text, "witness %02d %s\n", i, w.vkey)
		fmt.Fprintf(&vkeys, "%s\n", w.vkey)
		names += fmt.Sprintf(" %02d", i)
	}
	fmt.Fprintf(&text, "group regions 9%s\nquorum regions\n", names)
	national := filepath.Join(dir, "national")
	write(t, filepath.Join(dir, "policy"), []byte(text.String()))
	write(t, filepath.Join(dir, "witnesses.vkeys"), []byte(vkeys.String()))

	s.export(t, national, all[:8]...)
	expect(t, "eight", false, checkOne(dir))
	s.export(t, national, all[7:]...)
	expect(t, "nine", true, checkOne(dir))
	s.export(t, national, all...)
	expect(t, "sixteen", true, checkOne(dir))
	s.export(t, national, append(all[:8:8], all[0])...)
	expect(t, "eight and one of them again", false, checkOne(dir))
	s.export(t, national, append(all[:8:8], newWitness(99))...)
	expect(t, "eight and a stranger", false, checkOne(dir))

	raw := s.checkpoint(t, all...)
	lines := strings.SplitAfter(string(raw), "\n")
	last := lines[len(lines)-2]
	space := strings.LastIndex(last, " ") + 1
	signature, err := base64.StdEncoding.DecodeString(strings.TrimSpace(last[space:]))
	if err != nil {
		t.Fatal(err)
	}
	for bit := 32; bit < 8*len(signature); bit += 5 { // behind the key's id
		signature[bit/8] ^= 1 << (bit % 8)
		lines[len(lines)-2] = last[:space] + base64.StdEncoding.EncodeToString(signature) + "\n"
		write(t, filepath.Join(national, "checkpoint"), []byte(strings.Join(lines, "")))
		expect(t, fmt.Sprint("a cosignature, bit ", bit), false, checkOne(dir))
		signature[bit/8] ^= 1 << (bit % 8)
	}

	s.export(t, national, all...)
	write(t, filepath.Join(dir, "witnesses.vkeys"), []byte(vkeys.String()[:len(newWitness(2).vkey)+1]))
	expect(t, "keys that are not stated", false, checkOne(dir))
}

func TestPoliciesAreReadStrictly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy")
	a, b := newWitness(2).vkey, newWitness(4).vkey
	for text, good := range map[string]bool{
		"quorum none\n":                   true,
		"witness a " + a + "\nquorum a\n": true,
		"witness a " + a + "\nwitness b " + b + "\ngroup g any a b\nquorum g\n": true,
		"":                           false,
		"quorum none":                false,
		"quorum none\nquorum none\n": false,
		"quorum a\n":                 false,
		"witness a " + a + "\nwitness b " + a + "\nquorum a\n": false,
		"witness a " + a + "\nwitness a " + b + "\nquorum a\n": false,
		"witness a " + a + "\ngroup g 2 a\nquorum g\n":         false,
		"witness a " + a + "\ngroup g 0 a\nquorum g\n":         false,
		"witness a " + a + "\ngroup g 1 a a\nquorum g\n":       false,
		"witness a " + a[:len(a)-1] + "\nquorum a\n":           false,
		"log " + a + "\nquorum none\n":                         false,
	} {
		write(t, path, []byte(text))
		_, err := readPolicy(path)
		expect(t, text, good, err)
	}
}

// ---- proofs ----

func (s *sample) proof(t *testing.T, index int64, extra bool) string {
	t.Helper()
	hashes, err := tlog.ProveRecord(int64(len(s.entries)), index, s)
	if err != nil {
		t.Fatal(err)
	}
	text := "c2sp.org/tlog-proof@v1\n"
	if extra {
		text += "extra " + base64.StdEncoding.EncodeToString(s.entries[index]) + "\n"
	}
	text += fmt.Sprintf("index %d\n", index)
	for _, h := range hashes {
		text += h.String() + "\n"
	}
	return text + "\n" + string(s.checkpoint(t))
}

func TestEveryBitOfAProofCounts(t *testing.T) {
	s := newSample(t, realm+"/region/26", 300)
	key, err := newLogKey(s.vkey)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(s.proof(t, 17, true))
	check := func() error {
		p, err := parseProof(raw)
		if err == nil {
			_, err = verifyProof(p, key, p.extra)
		}
		return err
	}
	expect(t, "as it was made", true, check())
	end := strings.Index(string(raw), "\n\n") + 2
	end += strings.Index(string(raw[end:]), "\n\n") + 1 // behind the signed text
	for bit := 0; bit < 8*end; bit++ {
		raw[bit/8] ^= 1 << (bit % 8)
		expect(t, fmt.Sprint("bit ", bit), false, check())
		raw[bit/8] ^= 1 << (bit % 8)
	}
}

func TestTheLeafMayComeBesideTheProof(t *testing.T) {
	s := newSample(t, realm+"/region/26", 300)
	dir := t.TempDir()
	path, leaf := filepath.Join(dir, "p"), filepath.Join(dir, "leaf")
	write(t, path, []byte(s.proof(t, 17, false)))
	write(t, leaf, s.entries[17])
	expect(t, "given", true, checkProof(io.Discard, path, s.vkey, leaf, "", ""))
	expect(t, "not given", false, checkProof(io.Discard, path, s.vkey, "", "", ""))
	write(t, leaf, s.entries[16])
	expect(t, "another", false, checkProof(io.Discard, path, s.vkey, leaf, "", ""))
	other := newSample(t, realm+"/region/24", 0).vkey
	expect(t, "another key", false, checkProof(io.Discard, path, other, leaf, "", ""))
}

func TestALeafHoldsAnothersCheckpoint(t *testing.T) {
	dir := t.TempDir()
	region := newSample(t, realm+"/region/26", 5)
	national := newSample(t, realm+"/national/centrum", 0)
	entry := append(append([]byte{1, 2, 3}, region.checkpoint(t)...), 4)
	more, err := tlog.StoredHashes(0, entry, national)
	if err != nil {
		t.Fatal(err)
	}
	national.entries, national.hashes = [][]byte{entry}, more
	write(t, filepath.Join(dir, "event"), []byte(region.proof(t, 2, true)))
	write(t, filepath.Join(dir, "entry"), []byte(national.proof(t, 0, true)))
	write(t, filepath.Join(dir, "other"), []byte(newSample(t, realm+"/region/26", 6).proof(t, 2, true)))
	check := func(holds string) error {
		return checkProof(io.Discard, filepath.Join(dir, "entry"), national.vkey, "", "", filepath.Join(dir, holds))
	}
	expect(t, "holds it", true, check("event"))
	expect(t, "another checkpoint", false, check("other"))
}

func TestAConsistencyProofLeadsFromOneCheckpointToTheOther(t *testing.T) {
	dir := t.TempDir()
	grown := newSample(t, realm+"/region/26", 300)
	key, err := newLogKey(grown.vkey)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1, 5, 255, 256, 257, 299, 300} {
		hashes, err := tlog.ProveTree(300, int64(size), grown)
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("old %d\n", size)
		for _, h := range hashes {
			text += h.String() + "\n"
		}
		raw := []byte(text + "\n" + string(grown.checkpoint(t)))
		old, _, err := openCheckpoint(newSample(t, realm+"/region/26", size).checkpoint(t), key)
		if err != nil {
			t.Fatal(err)
		}
		check := func() error {
			_, err := verifyGrown(raw, key, old)
			return err
		}
		expect(t, fmt.Sprint("grew from ", size), true, check())
		for bit := 0; bit < 8*len(text); bit++ {
			raw[bit/8] ^= 1 << (bit % 8)
			expect(t, fmt.Sprint("bit ", bit), false, check())
			raw[bit/8] ^= 1 << (bit % 8)
		}
		write(t, filepath.Join(dir, "grew"), raw)
		write(t, filepath.Join(dir, "old"), newSample(t, realm+"/region/26", size).checkpoint(t))
		write(t, filepath.Join(dir, "other"), newSample(t, realm+"/region/26", size+1).checkpoint(t))
		files := func(name string) error {
			return checkGrown(io.Discard, filepath.Join(dir, "grew"), grown.vkey, filepath.Join(dir, name))
		}
		expect(t, "by files", true, files("old"))
		expect(t, "another size", false, files("other"))
	}
}
