package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofFile struct {
	extra    []byte
	hasExtra bool
	index    int64
	hashes   tlog.RecordProof
	note     []byte
}

// cutLine gives the next line without its newline, and what is behind it.
func cutLine(raw []byte) (string, []byte, error) {
	i := bytes.IndexByte(raw, '\n')
	if i < 0 {
		return "", nil, errForm
	}
	return string(raw[:i]), raw[i+1:], nil
}

// cutHashes reads a proof's hashes up to the empty line before the note.
func cutHashes(raw []byte) (hashes []tlog.Hash, rest []byte, err error) {
	for {
		var line string
		if line, raw, err = cutLine(raw); err != nil || line == "" {
			return hashes, raw, err
		}
		h, err := decodeHash(line)
		if err != nil || len(hashes) == 63 {
			return nil, nil, errForm
		}
		hashes = append(hashes, h)
	}
}

func parseProof(raw []byte) (*proofFile, error) {
	p := &proofFile{}
	line, raw, err := cutLine(raw)
	if err != nil || line != "c2sp.org/tlog-proof@v1" {
		return nil, errForm
	}
	line, raw, err = cutLine(raw)
	if strings.HasPrefix(line, "extra ") {
		text := line[len("extra "):]
		p.hasExtra = true
		p.extra, err = base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(text) == 0 || base64.StdEncoding.EncodeToString(p.extra) != text {
			return nil, errForm
		}
		line, raw, err = cutLine(raw)
	}
	if err != nil || !strings.HasPrefix(line, "index ") {
		return nil, errForm
	}
	if p.index, err = decimal(line[len("index "):]); err != nil {
		return nil, err
	}
	p.hashes, p.note, err = cutHashes(raw)
	return p, err
}

func readProof(path string) (*proofFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := parseProof(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

// verifyProof verifies that the leaf stands where the proof says, under a checkpoint by the key.
func verifyProof(p *proofFile, key note.Verifier, leaf []byte) (checkpoint, error) {
	c, _, err := openCheckpoint(p.note, key)
	if err != nil {
		return checkpoint{}, err
	}
	return c, tlog.CheckRecord(p.hashes, c.size, c.root, p.index, tlog.RecordHash(leaf))
}

func checkProof(w io.Writer, path, vkey, leafPath, policyPath, holdsPath string) error {
	key, err := newLogKey(vkey)
	if err != nil {
		return err
	}
	p, err := readProof(path)
	if err != nil {
		return err
	}
	leaf := p.extra
	if leafPath != "" {
		if leaf, err = os.ReadFile(leafPath); err != nil {
			return err
		}
	} else if !p.hasExtra {
		return fmt.Errorf("%s: has no extra data: give the leaf", path)
	}
	c, err := verifyProof(p, key, leaf)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if policyPath != "" {
		known, err := readPolicy(policyPath)
		if err != nil {
			return err
		}
		if _, err := known.check(p.note, key); err != nil {
			return err
		}
	}
	if holdsPath != "" {
		other, err := readProof(holdsPath)
		if err != nil {
			return err
		}
		if !bytes.Contains(leaf, other.note) {
			return fmt.Errorf("%s: its leaf does not hold the checkpoint of %s", path, holdsPath)
		}
	}
	fmt.Fprintf(w, "%s: %d bytes at %d of %d in %s\n", path, len(leaf), p.index, c.size, c.origin)
	return nil
}

// verifyGrown verifies a consistency proof in the form of a witness's request: the log grew from the
// older checkpoint into the one that the proof ends in.
func verifyGrown(raw []byte, key note.Verifier, old checkpoint) (checkpoint, error) {
	line, raw, err := cutLine(raw)
	if err != nil || line != fmt.Sprintf("old %d", old.size) {
		return checkpoint{}, fmt.Errorf("does not begin at %d", old.size)
	}
	hashes, raw, err := cutHashes(raw)
	if err != nil {
		return checkpoint{}, err
	}
	c, _, err := openCheckpoint(raw, key)
	if err != nil {
		return checkpoint{}, err
	}
	return c, tlog.CheckTree(hashes, c.size, c.root, old.size, old.root)
}

func checkGrown(w io.Writer, path, vkey, oldPath string) error {
	key, err := newLogKey(vkey)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(oldPath)
	if err != nil {
		return err
	}
	old, _, err := openCheckpoint(raw, key)
	if err != nil {
		return fmt.Errorf("%s: %w", oldPath, err)
	}
	if raw, err = os.ReadFile(path); err != nil {
		return err
	}
	c, err := verifyGrown(raw, key, old)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(w, "%s: %s grew from %d to %d entries\n", path, c.origin, old.size, c.size)
	return nil
}
