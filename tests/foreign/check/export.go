package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// tilePath is that of tlog-tiles, which leaves out the height and says "entries" for "data".
func tilePath(t tlog.Tile) string {
	path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func parseTilePath(path string) (tlog.Tile, error) {
	theirs := strings.Replace(strings.Replace(path, "tile/entries/", "tile/data/", 1), "tile/", "tile/8/", 1)
	t, err := tlog.ParseTilePath(theirs)
	if err == nil && tilePath(t) != path {
		err = errForm
	}
	return t, err
}

// tilesOf gives the tiles of a log of that size: of each level the full ones, and the partial one at
// its end.  (tlog.NewTiles asks for every width that a partial tile ever had.)
func tilesOf(size int64) (tiles []tlog.Tile) {
	for level := 0; size > 0; level++ {
		for n := int64(0); n < size/width; n++ {
			tiles = append(tiles, tlog.Tile{H: height, L: level, N: n, W: width})
		}
		if size%width > 0 {
			tiles = append(tiles, tlog.Tile{H: height, L: level, N: size / width, W: int(size % width)})
		}
		size /= width
	}
	return tiles
}

// A logFolder is one exported log, and its tree worked out from its entries.
type logFolder struct {
	path     string
	keys     []note.Verifier
	raw      []byte // the checkpoint
	tree     checkpoint
	redacted map[int64]tlog.Hash
	hashes   []tlog.Hash // by stored hash index
	erased   int
}

func (l *logFolder) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, 0, len(indexes))
	for _, i := range indexes {
		if i < 0 || i >= int64(len(l.hashes)) {
			return nil, errors.New("a hash beyond the tree")
		}
		found = append(found, l.hashes[i])
	}
	return found, nil
}

// readTile reads a tile or bundle of at least that width: where a partial one is gone, the full
// one serves.  cut shortens it.
func (l *logFolder) readTile(t tlog.Tile, cut func([]byte) ([]byte, error)) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(l.path, tilePath(t)))
	if err == nil || t.W == width || !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	t.W = width
	raw, full := os.ReadFile(filepath.Join(l.path, tilePath(t)))
	if full != nil {
		return nil, err
	}
	return cut(raw)
}

// splitBundle gives the first n entries of a bundle, and what is behind them.
func splitBundle(raw []byte, n int) (entries [][]byte, rest []byte, err error) {
	for ; n > 0; n-- {
		if len(raw) < 2 {
			return nil, nil, errors.New("a bundle that ends too early")
		}
		size := int(binary.BigEndian.Uint16(raw))
		if len(raw) < 2+size {
			return nil, nil, errors.New("an entry that ends too early")
		}
		entries = append(entries, raw[2:2+size])
		raw = raw[2+size:]
	}
	return entries, raw, nil
}

// addEntries hashes one bundle's entries, holds them against the tile of leaf hashes, and grows
// the tree by them.
func (l *logFolder) addEntries(t tlog.Tile, raw, leaves []byte) error {
	entries, rest, err := splitBundle(raw, t.W)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("bytes behind a bundle")
	}
	if len(leaves) != t.W*tlog.HashSize {
		return errors.New("a tile of another width")
	}
	for i, entry := range entries {
		var said tlog.Hash
		copy(said[:], leaves[i*tlog.HashSize:])
		index := t.N*width + int64(i)
		if leaf, erased := l.redacted[index]; erased {
			if len(entry) > 0 || leaf != said {
				return fmt.Errorf("entry %d is not redacted as it is said", index)
			}
			l.erased++
		} else if len(entry) == 0 {
			return fmt.Errorf("entry %d is empty and nothing says that it was redacted", index)
		} else if tlog.RecordHash(entry) != said {
			return fmt.Errorf("entry %d is not what the tile says", index)
		}
		more, err := tlog.StoredHashesForRecordHash(index, said, l)
		if err != nil {
			return err
		}
		l.hashes = append(l.hashes, more...)
	}
	return nil
}

func (l *logFolder) addAll() error {
	for from := int64(0); from < l.tree.size; from += width {
		t := tlog.Tile{H: height, L: -1, N: from / width, W: width}
		if l.tree.size-from < width {
			t.W = int(l.tree.size - from)
		}
		raw, err := l.readTile(t, func(full []byte) ([]byte, error) {
			_, rest, err := splitBundle(full, t.W)
			return full[:len(full)-len(rest)], err
		})
		if err != nil {
			return err
		}
		t.L = 0
		leaves, err := l.readTile(t, func(full []byte) ([]byte, error) {
			return full[:t.W*tlog.HashSize], nil
		})
		if err != nil {
			return err
		}
		t.L = -1
		if err := l.addEntries(t, raw, leaves); err != nil {
			return fmt.Errorf("%s: %w", tilePath(t), err)
		}
	}
	return nil
}

// rootAt works out the root that the first entries give.
func (l *logFolder) rootAt(size int64) (tlog.Hash, error) {
	if size == 0 {
		return emptyRoot, nil
	}
	return tlog.TreeHash(size, l)
}

func (l *logFolder) checkRoot() error {
	root, err := l.rootAt(l.tree.size)
	if err == nil && root != l.tree.root {
		err = fmt.Errorf("the entries give the root %v, the checkpoint says %v", root, l.tree.root)
	}
	return err
}

// checkOld verifies that the log grew from an older checkpoint.
func (l *logFolder) checkOld(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, _, err := openCheckpoint(raw, l.keys...)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if old.size > l.tree.size {
		return fmt.Errorf("%s: of %d entries, the log has %d", path, old.size, l.tree.size)
	}
	root, err := l.rootAt(old.size)
	if err == nil && root != old.root {
		err = fmt.Errorf("%s: another history of the log", path)
	}
	return err
}

// checkTiles holds every tile that the size asks for against the tree worked out.
func (l *logFolder) checkTiles() (int, error) {
	tiles := tilesOf(l.tree.size)
	for _, t := range tiles {
		raw, err := l.readTile(t, func(full []byte) ([]byte, error) {
			if len(full) != width*tlog.HashSize {
				return nil, errForm
			}
			return full[:t.W*tlog.HashSize], nil
		})
		if err == nil {
			err = l.compare(t, raw)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", tilePath(t), err)
		}
	}
	return len(tiles), nil
}

func (l *logFolder) compare(t tlog.Tile, raw []byte) error {
	expected, err := tlog.ReadTileData(t, l)
	if err != nil {
		return err
	}
	if !bytes.Equal(expected, raw) {
		return errors.New("not the hashes that the entries give")
	}
	return nil
}

// last is how many leaves a log has at least when it has that tile.
func last(t tlog.Tile) int64 {
	span := int64(1)
	for i := 0; i < t.L; i++ {
		span *= width
	}
	return (t.N*width + int64(t.W)) * span
}

// checkOthers looks at every file below tile/: partial tiles of smaller sizes must be the
// beginnings of what the tree gives; what lies beyond the checkpoint is being written and nobody
// has signed for it yet.
func (l *logFolder) checkOthers() (beyond int, err error) {
	root := filepath.Join(l.path, "tile")
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(l.path, path)
		if err != nil {
			return err
		}
		t, err := parseTilePath(filepath.ToSlash(relative))
		if err != nil {
			return fmt.Errorf("%s: no tile has that name", path)
		}
		if last(t) > l.tree.size {
			beyond++
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err = l.checkOther(t, raw); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	return beyond, err
}

func (l *logFolder) checkOther(t tlog.Tile, raw []byte) error {
	if t.L >= 0 {
		return l.compare(t, raw)
	}
	entries, rest, err := splitBundle(raw, t.W)
	if err != nil || len(rest) > 0 {
		return errForm
	}
	for i, entry := range entries {
		index := t.N*width + int64(i)
		if _, erased := l.redacted[index]; erased {
			if len(entry) > 0 {
				return fmt.Errorf("entry %d is redacted and still there", index)
			}
		} else if tlog.RecordHash(entry) != l.hashes[tlog.StoredHashIndex(0, index)] {
			return fmt.Errorf("entry %d is not what the tile says", index)
		}
	}
	return nil
}

// readRedacted reads the entries that a "redacted" file names: index, leaf hash, and the entry of
// the national log that says so, or "-".
func readRedacted(path string) (map[int64]tlog.Hash, error) {
	lines, err := readLines(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	named := map[int64]tlog.Hash{}
	for _, line := range lines {
		words := strings.Split(line, " ")
		if len(words) != 3 {
			return nil, fmt.Errorf("%s: %q", path, line)
		}
		index, err1 := decimal(words[0])
		leaf, err2 := decodeHash(words[1])
		_, err3 := decimal(words[2])
		if _, twice := named[index]; err1 != nil || err2 != nil || (err3 != nil && words[2] != "-") || twice {
			return nil, fmt.Errorf("%s: %q", path, line)
		}
		named[index] = leaf
	}
	return named, nil
}

// folderOf is where a log of that origin belongs.
func folderOf(origin string) string {
	if i := strings.LastIndex(origin, "/region/"); i > 0 {
		return strings.ReplaceAll(origin[i+len("/region/"):], "/", "-")
	}
	if strings.LastIndex(origin, "/national/") > 0 {
		return "national"
	}
	return ""
}

func openFolder(path string) (*logFolder, error) {
	l := &logFolder{path: path}
	var err error
	if l.keys, err = readLogKeys(filepath.Join(path, "log.vkey")); err != nil {
		return nil, err
	}
	if l.raw, err = os.ReadFile(filepath.Join(path, "checkpoint")); err != nil {
		return nil, err
	}
	if l.tree, _, err = openCheckpoint(l.raw, l.keys...); err != nil {
		return nil, err
	}
	l.redacted, err = readRedacted(filepath.Join(path, "redacted"))
	return l, err
}

func checkLog(w io.Writer, path string) (*logFolder, error) {
	l, err := openFolder(path)
	if err != nil {
		return nil, err
	}
	if err := l.addAll(); err != nil {
		return nil, err
	}
	if err := l.checkRoot(); err != nil {
		return nil, err
	}
	tiles, err := l.checkTiles()
	if err != nil {
		return nil, err
	}
	beyond, err := l.checkOthers()
	if err != nil {
		return nil, err
	}
	if l.erased != len(l.redacted) {
		return nil, fmt.Errorf("%d entries are said to be redacted, %d are", len(l.redacted), l.erased)
	}
	fmt.Fprintf(w, "%s: %d entries (%d redacted), %d tiles, %d files beyond, root %v\n", l.tree.origin, l.tree.size,
		l.erased, tiles, beyond, l.tree.root)
	return l, nil
}

// checkWitnesses holds the national checkpoint against the policy, and the policy's witnesses
// against the keys that the export states.
func checkWitnesses(w io.Writer, dir, policyPath string, l *logFolder) error {
	if policyPath == "" {
		policyPath = filepath.Join(dir, "policy")
	}
	p, err := readPolicy(policyPath)
	if err != nil {
		return err
	}
	lines, err := readLines(filepath.Join(dir, "witnesses.vkeys"))
	if err != nil {
		return err
	}
	stated := map[string]bool{}
	for _, line := range lines {
		key, err := newCosigner(line)
		if err != nil {
			return fmt.Errorf("witnesses.vkeys: %q: %w", line, err)
		}
		stated[string(key.key)] = true
	}
	for name, m := range p.member {
		if m.witness != nil && !stated[string(m.witness.key)] {
			return fmt.Errorf("witnesses.vkeys does not state the policy's witness %q", name)
		}
	}
	cosigned, err := p.check(l.raw, l.keys[0])
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: cosigned by %d witnesses, quorum %q stands\n", l.tree.origin, cosigned, p.quorum)
	return nil
}

func checkExport(w io.Writer, dir, policyPath, oldPath string) error {
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err == nil {
		l, err := checkLog(w, dir)
		if err == nil && oldPath != "" {
			err = l.checkOld(oldPath)
		}
		return err
	}
	if oldPath != "" {
		return errors.New("an older checkpoint is of one log: name that log's folder")
	}
	folders, err := filepath.Glob(filepath.Join(dir, "*", "checkpoint"))
	if err != nil {
		return err
	}
	if len(folders) == 0 {
		return fmt.Errorf("%s: no log is exported there", dir)
	}
	sort.Strings(folders)
	for _, path := range folders {
		path = filepath.Dir(path)
		l, err := checkLog(w, path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if folderOf(l.tree.origin) != filepath.Base(path) {
			return fmt.Errorf("%s: a log of %s", path, l.tree.origin)
		}
		if filepath.Base(path) == "national" {
			if err := checkWitnesses(w, dir, policyPath, l); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return nil
}
