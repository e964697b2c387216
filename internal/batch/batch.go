// Package batch takes a folder of files as the batch of one date: DIR/<dataset>/<files> becomes
// raw/<dataset>/ingest_date=<date>/<files> in the raw bucket.
package batch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/usage"
)

// Batch is the files of one dataset for one date.
type Batch struct {
	Dataset string
	Files   []File
}

// File is one file to upload.
type File struct {
	Path string
	Name string
	Size int64
}

// CheckDate refuses what is no date of the form YYYY-MM-DD.
func CheckDate(date string) error {
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return usage.Errorf("--ingest-date %q is no date; give it as YYYY-MM-DD, for instance 2026-01-31", date)
	}
	return nil
}

// Select gives the datasets of the list with the given names, in the list's order; all for no name.
func Select(list []datasets.Dataset, names []string) ([]datasets.Dataset, error) {
	for _, name := range names {
		if !slices.ContainsFunc(list, func(known datasets.Dataset) bool { return known.Name == name }) {
			return nil, usage.Errorf("unknown dataset %q; known are %s", name, strings.Join(Names(list), ", "))
		}
	}
	if len(names) == 0 {
		return list, nil
	}
	return slices.DeleteFunc(slices.Clone(list), func(d datasets.Dataset) bool { return !slices.Contains(names, d.Name) }), nil
}

// Names lists the names of datasets.
func Names(list []datasets.Dataset) []string {
	names := make([]string, len(list))
	for i, dataset := range list {
		names[i] = dataset.Name
	}
	return names
}

// Read finds the files of the selected datasets in dir and makes sure that each can be read. A
// folder of no known dataset is an error, since its files would be left behind unseen. A dataset
// without a folder, or with an empty one, has no batch in the result.
func Read(dir string, known, selected []datasets.Dataset) ([]Batch, error) {
	if err := checkFolders(dir, known); err != nil {
		return nil, err
	}
	var batches []Batch
	for _, dataset := range selected {
		files, err := readFolder(filepath.Join(dir, dataset.Name))
		if err != nil {
			return nil, err
		}
		if len(files) > 0 {
			batches = append(batches, Batch{Dataset: dataset.Name, Files: files})
		}
	}
	if len(batches) == 0 {
		return nil, usage.Errorf("%s has no files to upload; put them into %s", dir, folders(dir, selected))
	}
	return batches, nil
}

func checkFolders(dir string, known []datasets.Dataset) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return usage.Errorf("--raw %s: %w; give a folder that holds %s", dir, reason(err), folders("", known))
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if hidden(entry.Name()) || !isFolder(path) {
			continue
		}
		if !slices.Contains(Names(known), entry.Name()) {
			return usage.Errorf("%s is the folder of no known dataset; known are %s", path, folders("", known))
		}
	}
	return nil
}

func readFolder(folder string) ([]File, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usage.Errorf("%s: %w; it must be a folder that can be read", folder, reason(err))
	}
	var files []File
	for _, entry := range entries {
		if hidden(entry.Name()) {
			continue
		}
		file, err := readable(filepath.Join(folder, entry.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// readable opens the file once, so that a missing right shows before anything is uploaded.
func readable(path string) (File, error) {
	opened, err := os.Open(path)
	if err != nil {
		return File{}, usage.Errorf("%s cannot be read: %w", path, reason(err))
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return File{}, usage.Errorf("%s cannot be read: %w", path, reason(err))
	}
	if info.IsDir() {
		return File{}, usage.Errorf("%s is a folder; put the files of a batch directly into %s", path, filepath.Dir(path))
	}
	if !info.Mode().IsRegular() {
		return File{}, usage.Errorf("%s is no regular file; remove it from the batch", path)
	}
	return File{Path: path, Name: filepath.Base(path), Size: info.Size()}, nil
}

// hidden names are passed over by Spark and Glue as well: https://spark.apache.org/docs/3.5.6/sql-data-sources-generic-options.html
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// reason is the error without the operation and the path, which the message names already.
func reason(err error) error {
	var failure *fs.PathError
	if errors.As(err, &failure) {
		return failure.Err
	}
	return err
}

func folders(dir string, list []datasets.Dataset) string {
	paths := make([]string, len(list))
	for i, name := range Names(list) {
		paths[i] = filepath.Join(dir, name) + "/"
	}
	return strings.Join(paths, ", ")
}
