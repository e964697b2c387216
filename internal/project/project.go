// Package project finds the checkout that a command works in, and the tools set up inside it.
package project

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"moviepipeline/internal/usage"
)

// Oldest versions of the tools that come from outside the checkout: Spark 3.5 as Glue 5.1 runs it
// is on Java 17, and the CDK's libraries need Node.js 20.
const (
	oldestJava = 17
	oldestNode = 20
)

// Project is a checkout of this repository.
type Project struct {
	// Root is the absolute path of the checkout.
	Root string
}

// Find gives the checkout that holds dir: the nearest folder upwards with datasets.json and go.mod.
func Find(dir string) (Project, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return Project{}, fmt.Errorf("current folder: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		if exists(filepath.Join(at, "datasets.json")) && exists(filepath.Join(at, "go.mod")) {
			return Project{Root: at}, nil
		}
		if at == filepath.Dir(at) {
			return Project{}, usage.Errorf("%s is not inside a checkout of the pipeline (no datasets.json here or above); change to one first", start)
		}
	}
}

// StateDir holds the local cloud's state and what this machine knows of it.
func (p Project) StateDir() string { return filepath.Join(p.Root, ".local") }

// SampleDir holds the generated sample: one folder a dataset.
func (p Project) SampleDir() string { return filepath.Join(p.StateDir(), "sample") }

// DatasetsFile is the list of datasets.
func (p Project) DatasetsFile() string { return filepath.Join(p.Root, "datasets.json") }

// Python is the interpreter with the locked packages.
func (p Project) Python() string { return filepath.Join(p.Root, ".venv", "bin", "python") }

// CDK is the pinned CDK command line.
func (p Project) CDK() string { return filepath.Join(p.Root, "node_modules", ".bin", "cdk") }

// CheckLocalCloud tells in one line what the local cloud needs and this machine lacks.
func (p Project) CheckLocalCloud(ctx context.Context) error {
	if err := p.needs(p.Python(), filepath.Join(p.Root, ".jars")); err != nil {
		return err
	}
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	return checkVersion(ctx, "Java", oldestJava, java, "-version")
}

// CheckDeploy tells in one line what a deployment needs and this machine lacks.
func (p Project) CheckDeploy(ctx context.Context) error {
	if err := p.needs(p.CDK()); err != nil {
		return err
	}
	return checkVersion(ctx, "Node.js", oldestNode, "node", "--version")
}

func (p Project) needs(paths ...string) error {
	for _, path := range paths {
		if exists(path) {
			continue
		}
		name, err := filepath.Rel(p.Root, path)
		if err != nil {
			name = path
		}
		return usage.Errorf("%s is missing in %s; run `make setup` first", name, p.Root)
	}
	return nil
}

var versionNumber = regexp.MustCompile(`(\d+)\.`)

// checkVersion runs a tool and compares the first number of the version it prints.
func checkVersion(ctx context.Context, name string, oldest int, command ...string) error {
	output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return usage.Errorf("%s %d or newer is needed, but %q does not run (%w); install it or put it on PATH", name, oldest, command[0], err)
	}
	match := versionNumber.FindSubmatch(output)
	if match == nil {
		return usage.Errorf("%s %d or newer is needed; %q gave no version: %.80q", name, oldest, command[0], output)
	}
	if found, err := strconv.Atoi(string(match[1])); err == nil && found < oldest {
		return usage.Errorf("%s %d or newer is needed; %q is version %d", name, oldest, command[0], found)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
