package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const algCosignature = 0x04

var errKey = errors.New("not a verifier key")

// A cosigner verifies cosignature/v1 lines, which x/mod does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	if at > math.MaxInt64 {
		return false
	}
	message := append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), text...)
	return ed25519.Verify(c.key, message, signature[8:])
}

// newCosigner reads a verifier key of type 0x04.
func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 || parts[0] == "" {
		return nil, errKey
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algCosignature {
		return nil, errKey
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	hash := binary.BigEndian.Uint32(sum[:])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, errKey
	}
	return &cosigner{parts[0], hash, raw[1:]}, nil
}

// readLines gives the lines of a file, all of which end in a newline.
func readLines(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		return nil, nil
	}
	if !bytes.HasSuffix(raw, []byte("\n")) {
		return nil, fmt.Errorf("%s: does not end in a newline", path)
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n"), nil
}

// newLogKey reads a verifier key of type 0x01, whose id is written in one way only.
func newLogKey(vkey string) (note.Verifier, error) {
	key, err := note.NewVerifier(vkey)
	if err == nil && !strings.HasPrefix(vkey, fmt.Sprintf("%s+%08x+", key.Name(), key.KeyHash())) {
		err = errKey
	}
	return key, err
}

// readLogKeys reads a log.vkey file: the keys of one log, the newest first.
func readLogKeys(path string) ([]note.Verifier, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	var keys []note.Verifier
	for _, line := range lines {
		key, err := newLogKey(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(keys) > 0 && key.Name() != keys[0].Name() {
			return nil, fmt.Errorf("%s: keys of several names", path)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no key", path)
	}
	return keys, nil
}

func signedBy(n *note.Note, key note.Verifier) bool {
	for _, s := range n.Sigs {
		if s.Name == key.Name() && s.Hash == key.KeyHash() {
			return true
		}
	}
	return false
}
