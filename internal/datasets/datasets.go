// Package datasets reads datasets.json, the one list of what the pipeline handles.
package datasets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Dataset is one entry of the list: what a producer delivers as one batch a day.
type Dataset struct {
	// Name is the folder under raw/ and part of every resource name.
	Name string `json:"name"`
	// Format is the file format of the batches: csv, json (lines) or parquet.
	Format string `json:"format"`
	// Tables are the published tables. The first holds the dataset's own rows, one for a good
	// row of the batch; the others are bridges.
	Tables []string `json:"tables"`
	// RefersTo names the datasets whose rows this one's rows point to. They are published first.
	RefersTo []string `json:"refers_to,omitempty"`
}

// Formats lists the file formats a batch may come in.
var Formats = []string{"csv", "json", "parquet"}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Load reads and validates the list of datasets in the file at path. Unknown fields, unknown
// formats, repeated names, references to unknown datasets and cycles are errors that name the file.
func Load(path string) ([]Dataset, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("list of datasets: %w", err)
	}
	list, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// Parse decodes and validates the list of datasets in content.
func Parse(content []byte) ([]Dataset, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var list []Dataset
	if err := decoder.Decode(&list); err != nil {
		return nil, err
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the list of datasets")
	}
	return list, validate(list)
}

func validate(list []Dataset) error {
	if len(list) == 0 {
		return errors.New("no dataset is listed")
	}
	owners := map[string]string{}
	names := map[string]bool{}
	for _, dataset := range list {
		if names[dataset.Name] {
			return fmt.Errorf("dataset %q is listed twice", dataset.Name)
		}
		names[dataset.Name] = true
		if err := dataset.validate(owners); err != nil {
			return err
		}
	}
	for _, dataset := range list {
		for _, reference := range dataset.RefersTo {
			if !names[reference] {
				return fmt.Errorf("dataset %q refers to %q, which is not listed", dataset.Name, reference)
			}
		}
	}
	if waves := Waves(list); len(slices.Concat(waves...)) != len(list) {
		return fmt.Errorf("datasets refer to each other in a circle: %s", strings.Join(circular(list, waves), ", "))
	}
	return nil
}

// validate checks the dataset alone; owners collects which dataset holds each table.
func (d Dataset) validate(owners map[string]string) error {
	if !validName.MatchString(d.Name) {
		return fmt.Errorf("dataset name %q: want lower case letters, digits and _, a letter first", d.Name)
	}
	if !slices.Contains(Formats, d.Format) {
		return fmt.Errorf("dataset %q: format %q is not one of %s", d.Name, d.Format, strings.Join(Formats, ", "))
	}
	if len(d.Tables) == 0 {
		return fmt.Errorf("dataset %q has no tables", d.Name)
	}
	for _, table := range d.Tables {
		if !validName.MatchString(table) {
			return fmt.Errorf("dataset %q: table name %q: want lower case letters, digits and _, a letter first", d.Name, table)
		}
		if owner, taken := owners[table]; taken {
			return fmt.Errorf("table %q belongs to dataset %q and to %q", table, owner, d.Name)
		}
		owners[table] = d.Name
	}
	return nil
}

// Waves orders the datasets by their references: each wave holds the names, in the order of the
// list, of the datasets that refer only to earlier waves, so that a wave's members can run side by
// side. Datasets of a circle, which Load refuses, are in no wave.
func Waves(list []Dataset) [][]string {
	var waves [][]string
	done := map[string]bool{}
	for len(done) < len(list) {
		var wave []string
		for _, dataset := range list {
			if !done[dataset.Name] && dataset.ready(done) {
				wave = append(wave, dataset.Name)
			}
		}
		if len(wave) == 0 {
			break
		}
		for _, name := range wave {
			done[name] = true
		}
		waves = append(waves, wave)
	}
	return waves
}

func (d Dataset) ready(done map[string]bool) bool {
	return !slices.ContainsFunc(d.RefersTo, func(name string) bool { return !done[name] })
}

// circular lists the names that no wave holds.
func circular(list []Dataset, waves [][]string) []string {
	ordered := slices.Concat(waves...)
	var left []string
	for _, dataset := range list {
		if !slices.Contains(ordered, dataset.Name) {
			left = append(left, dataset.Name)
		}
	}
	return left
}

// Referring names the datasets that refer to the named one, at first or second hand, in the list's order.
func Referring(list []Dataset, name string) []string {
	found := []string{name}
	for before := 0; before < len(found); {
		before = len(found)
		for _, dataset := range list {
			refers := slices.ContainsFunc(dataset.RefersTo, func(to string) bool { return slices.Contains(found, to) })
			if refers && !slices.Contains(found, dataset.Name) {
				found = append(found, dataset.Name)
			}
		}
	}
	return found[1:]
}
