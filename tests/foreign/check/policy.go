package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A member is a witness, or a group that needs some of its members.
type member struct {
	witness *cosigner
	needed  int
	members []string
}

type policy struct {
	logs   []note.Verifier
	order  []string // names in the order in which they are defined
	member map[string]member
	quorum string
}

func (p *policy) define(name string, m member) error {
	if _, there := p.member[name]; there || name == "none" {
		return fmt.Errorf("%q is defined twice", name)
	}
	p.member[name] = m
	p.order = append(p.order, name)
	return nil
}

func (p *policy) group(words []string) error {
	if len(words) < 3 {
		return errForm
	}
	m := member{members: words[2:]}
	for i, name := range m.members {
		if _, there := p.member[name]; !there {
			return fmt.Errorf("%q is not defined above", name)
		}
		for _, other := range m.members[:i] {
			if other == name {
				return fmt.Errorf("%q is named twice", name)
			}
		}
	}
	switch words[1] {
	case "any":
		m.needed = 1
	case "all":
		m.needed = len(m.members)
	default:
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		m.needed = n
	}
	if m.needed < 1 || m.needed > len(m.members) {
		return errors.New("more are needed than there are")
	}
	return p.define(words[0], m)
}

func (p *policy) line(word string, words []string) error {
	switch {
	case word == "log" && (len(words) == 1 || len(words) == 2):
		key, err := newLogKey(words[0])
		if err != nil {
			return err
		}
		p.logs = append(p.logs, key)
		return nil
	case word == "witness" && (len(words) == 2 || len(words) == 3):
		key, err := newCosigner(words[1])
		if err != nil {
			return err
		}
		for _, m := range p.member {
			if m.witness != nil && m.witness.key.Equal(key.key) {
				return errors.New("a witness's key stands there twice")
			}
		}
		return p.define(words[0], member{witness: key})
	case word == "group":
		return p.group(words)
	case word == "quorum" && len(words) == 1 && p.quorum == "":
		if _, there := p.member[words[0]]; !there && words[0] != "none" {
			return fmt.Errorf("%q is not defined above", words[0])
		}
		p.quorum = words[0]
		return nil
	}
	return errForm
}

func readPolicy(path string) (*policy, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	p := &policy{member: map[string]member{}}
	for i, line := range lines {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := p.line(words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("%s:%d: %v", path, i+1, err)
		}
	}
	if p.quorum == "" {
		return nil, fmt.Errorf("%s: no quorum line", path)
	}
	return p, nil
}

// check verifies a whole checkpoint: by a log of the policy, if it names any, and cosigned by the
// quorum.  It gives how many witnesses cosigned.
func (p *policy) check(raw []byte, log note.Verifier) (int, error) {
	known := append([]note.Verifier{log}, p.logs...)
	trusted := len(p.logs) == 0
	for _, key := range p.logs {
		if key.Name() == log.Name() && key.KeyHash() == log.KeyHash() {
			trusted = true
			known = p.logs
		}
	}
	if !trusted {
		return 0, fmt.Errorf("the policy does not name the log %s+%08x", log.Name(), log.KeyHash())
	}
	for _, m := range p.member {
		if m.witness != nil {
			known = append(known, m.witness)
		}
	}
	n, err := note.Open(raw, note.VerifierList(known...))
	if err != nil {
		return 0, err
	}
	cosigned := 0
	met := map[string]bool{"none": true}
	for _, name := range p.order {
		m := p.member[name]
		if m.witness != nil {
			met[name] = signedBy(n, m.witness)
			if met[name] {
				cosigned++
			}
			continue
		}
		have := 0
		for _, other := range m.members {
			if met[other] {
				have++
			}
		}
		met[name] = have >= m.needed
	}
	if !met[p.quorum] {
		return cosigned, fmt.Errorf("%d witnesses cosigned: not the quorum %q", cosigned, p.quorum)
	}
	return cosigned, nil
}
