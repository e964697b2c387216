// Package dqdl has rule files parsed by AWS's own grammar, which is a Java library, and remembers
// which texts it took: parsing costs seconds, and synthesis is to stay fast.
package dqdl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"moviepipeline/internal/project"
	"moviepipeline/internal/usage"
)

// remembered is the file, in the checkout's state folder, with the hashes of the texts that the
// grammar took.
const remembered = "dqdl-parsed.json"

// Check parses the checkout's rule files, those that have changed since they were parsed last. It
// fails with file, line and column of each that is no DQDL.
func Check(ctx context.Context, checkout project.Project) error {
	files, err := filepath.Glob(filepath.Join(checkout.Root, "dqdl-rules", "*.dqdl"))
	if err != nil {
		return err
	}
	hashes, err := hashesOf(checkout, files)
	if err != nil {
		return err
	}
	known := read(checkout)
	var changed []string
	for i, file := range files {
		if !slices.Contains(known, hashes[i]) {
			changed = append(changed, file)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := parse(ctx, checkout, changed); err != nil {
		return err
	}
	remember(checkout, hashes)
	return nil
}

// hashesOf gives the hash of each file, which changes with the grammar as well.
func hashesOf(checkout project.Project, files []string) ([]string, error) {
	grammar, err := filepath.Glob(filepath.Join(checkout.Root, ".jars", "dqdl-*.jar"))
	if err != nil {
		return nil, err
	}
	var hashes []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		sum := sha256.New()
		for _, jar := range grammar {
			fmt.Fprintln(sum, filepath.Base(jar))
		}
		sum.Write(text)
		hashes = append(hashes, hex.EncodeToString(sum.Sum(nil)))
	}
	return hashes, nil
}

func parse(ctx context.Context, checkout project.Project, files []string) error {
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return fmt.Errorf("rules are parsed by AWS's grammar before synthesis: %w", err)
	}
	arguments := []string{"-m", "local.dq.grammar"}
	for _, file := range files {
		arguments = append(arguments, filepath.Join("dqdl-rules", filepath.Base(file)))
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, checkout.Python(), arguments...)
	command.Dir, command.Stderr = checkout.Root, &said
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return usage.Errorf("AWS's grammar refuses rules:\n%s", strings.TrimSpace(said.String()))
	}
	if err != nil {
		return fmt.Errorf("the rules could not be parsed (%w):\n%s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// read gives the hashes of what was parsed; none where that is not known, so that all is parsed.
func read(checkout project.Project) []string {
	content, err := os.ReadFile(filepath.Join(checkout.StateDir(), remembered))
	if err != nil {
		return nil
	}
	var hashes []string
	if json.Unmarshal(content, &hashes) != nil {
		return nil
	}
	return hashes
}

// remember keeps the hashes. The rules are parsed whether or not they can be kept: where not, the
// next synthesis parses them again.
func remember(checkout project.Project, hashes []string) {
	content, err := json.Marshal(hashes)
	if err != nil || os.MkdirAll(checkout.StateDir(), 0o755) != nil {
		return
	}
	partial := filepath.Join(checkout.StateDir(), fmt.Sprintf("%s.%d", remembered, os.Getpid()))
	if os.WriteFile(partial, content, 0o644) == nil {
		_ = os.Rename(partial, filepath.Join(checkout.StateDir(), remembered))
	}
}
