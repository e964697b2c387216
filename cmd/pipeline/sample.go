package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
)

// The sample: all films and so many made ratings, with faults in rows, delivered on a fixed date.
const (
	sampleDate    = "2026-01-31"
	sampleRatings = 100_000
	sampleMaker   = "sample-data"
)

// makeSample makes the sample, unless it is there and newer than its maker. It is made beside its
// place, so that a broken-off one is never used.
func (a *app) makeSample(ctx context.Context, checkout project.Project, display *render.Display) error {
	fresh, err := newer(checkout.SampleDir(), filepath.Join(checkout.Root, sampleMaker))
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if fresh {
		return nil
	}
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return err
	}
	task := display.Task("Sample")
	err = runMaker(ctx, checkout)
	task.End(err)
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

// newer tells whether dir is there and was made after the last change of a file in source.
func newer(dir, source string) (bool, error) {
	made, err := os.Stat(dir)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return false, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return false, err
		}
		if !entry.IsDir() && info.ModTime().After(made.ModTime()) {
			return false, nil
		}
	}
	return true, nil
}

func runMaker(ctx context.Context, checkout project.Project) error {
	partial := checkout.SampleDir() + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, checkout.Python(), filepath.Join(sampleMaker, "make_sample.py"),
		"--date", sampleDate, "--ratings", strconv.Itoa(sampleRatings), "--faults", "rows", "--out", partial)
	command.Dir = checkout.Root
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(output)))
	}
	if err := os.RemoveAll(checkout.SampleDir()); err != nil {
		return err
	}
	return os.Rename(partial, checkout.SampleDir())
}
