package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// x/mod 0.7.0 gives zeros for the tree of no leaves; RFC 6962 says SHA-256 of nothing.
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

var errForm = errors.New("not of the form that its format says")

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

// decimal reads a number that is written in one way only.
func decimal(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, errForm
	}
	return n, nil
}

// decodeHash reads base64 that is written in one way only.
func decodeHash(text string) (tlog.Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize || base64.StdEncoding.EncodeToString(raw) != text {
		return tlog.Hash{}, errForm
	}
	var h tlog.Hash
	copy(h[:], raw)
	return h, nil
}

func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] == "" {
		return checkpoint{}, errForm
	}
	size, err := decimal(lines[1])
	if err != nil {
		return checkpoint{}, err
	}
	root, err := decodeHash(lines[2])
	return checkpoint{lines[0], size, root}, err
}

// openCheckpoint verifies a checkpoint that carries a good signature by the first key, no bad one
// by any, and is of the log that the key is named after.
func openCheckpoint(raw []byte, keys ...note.Verifier) (checkpoint, *note.Note, error) {
	n, err := note.Open(raw, note.VerifierList(keys...))
	if err != nil {
		return checkpoint{}, nil, err
	}
	if !signedBy(n, keys[0]) {
		return checkpoint{}, nil, fmt.Errorf("no signature by %s+%08x", keys[0].Name(), keys[0].KeyHash())
	}
	c, err := parseCheckpoint(n.Text)
	if err == nil && c.origin != keys[0].Name() {
		err = fmt.Errorf("a checkpoint of %q under a key of %q", c.origin, keys[0].Name())
	}
	return c, n, err
}
