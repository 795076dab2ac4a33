// The foreign check: verifies what Splot exports with golang.org/x/mod/sumdb/{note,tlog} and the
// public formats alone (C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof,
// tlog-cosignature, tlog-policy).  It shares no code with the programs that wrote the export.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

const usage = `usage: foreign-check export DIR [-policy FILE] [-old FILE]
       foreign-check proof FILE -key VKEY [-leaf FILE] [-policy FILE] [-holds FILE]
       foreign-check grown FILE -key VKEY -old FILE

export: every log of an export folder, or one log's folder: checkpoint, tiles, entry bundles;
        the national log's cosignatures, by DIR/policy unless another one is given.  -old: an
        older checkpoint, from which the one log must have grown.
proof:  a tlog-proof file; the leaf is its extra data unless given.  -holds: another tlog-proof
        file, whose checkpoint must stand in the leaf word for word.
grown:  a consistency proof in the form of a witness's request, from the older checkpoint on.
Exit status 0: all holds; 1: something does not; 2: it could not be asked.
`

func main() {
	if len(os.Args) < 3 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	policy := flags.String("policy", "", "")
	key := flags.String("key", "", "")
	leaf := flags.String("leaf", "", "")
	old := flags.String("old", "", "")
	holds := flags.String("holds", "", "")
	flags.Parse(os.Args[3:])
	if flags.NArg() > 0 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}

	var err error
	switch os.Args[1] {
	case "export":
		err = checkExport(os.Stdout, os.Args[2], *policy, *old)
	case "proof":
		if *key == "" {
			err = errors.New("a proof needs -key")
		} else {
			err = checkProof(os.Stdout, os.Args[2], *key, *leaf, *policy, *holds)
		}
	case "grown":
		if *key == "" || *old == "" {
			err = errors.New("a consistency proof needs -key and -old")
		} else {
			err = checkGrown(os.Stdout, os.Args[2], *key, *old)
		}
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "WRONG:", err)
		os.Exit(1)
	}
	fmt.Println("All holds.")
}
