package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

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
	for {
		line, raw, err = cutLine(raw)
		if err != nil {
			return nil, err
		}
		if line == "" {
			p.note = raw
			return p, nil
		}
		h, err := decodeHash(line)
		if err != nil || len(p.hashes) == 63 {
			return nil, errForm
		}
		p.hashes = append(p.hashes, h)
	}
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
	c, _, err := openCheckpoint(p.note, key)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(p.hashes, c.size, c.root, p.index, tlog.RecordHash(leaf)); err != nil {
		return err
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
