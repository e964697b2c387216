// Package quarantine reads the rows that were set aside, and puts mended ones back into the batch that
// they came from.
package quarantine

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Store is where rows that were set aside lie, and the batches they came from.
type Store struct {
	Objects *s3.Client
	// Raw and Processed are the names of the buckets.
	Raw, Processed string
}

// Selection says which rows are wanted; what is empty excludes none.
type Selection struct {
	Datasets []string
	Date     string
	// Rule is part of the text of a rule, in any case.
	Rule string
}

// Row is a row that was set aside.
type Row struct {
	// ID is the same for rows of the same content, whatever run set them aside.
	ID        string `json:"quarantine_id"`
	Dataset   string `json:"dataset"`
	Date      string `json:"ingest_date"`
	Execution string `json:"execution"`
	// Rules are those that the row broke.
	Rules []string `json:"rules_broken"`
	// Row is the row as it came, by column. A column that the row did not have is not there.
	Row map[string]string `json:"row"`
	// Columns are the names of the columns in the order of the file.
	Columns []string `json:"-"`
}

// Names that stand in the file beside the row's own columns.
const (
	rulesColumn = "rules_broken"
	dateColumn  = "ingest_date"
	// Beyond is the column of what comes after the last column of the header.
	Beyond = "beyond_last_column"
)

// published is the key of a file of rows that were set aside.
var published = regexp.MustCompile(`^quarantine/([^/]+)/ingest_date=(\d{4}-\d{2}-\d{2})/execution=([^/]+)/[^/]+$`)

// Rows gives the rows of the selection: by dataset, the newest batch first, in the order of the files.
func (s Store) Rows(ctx context.Context, selection Selection) ([]Row, error) {
	var rows []Row
	for _, dataset := range selection.Datasets {
		keys, err := s.keys(ctx, dataset, selection.Date)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			found, err := s.read(ctx, key)
			if err != nil {
				return nil, err
			}
			rows = append(rows, found...)
		}
	}
	return slices.DeleteFunc(rows, func(row Row) bool { return !row.breaks(selection.Rule) }), nil
}

func (r Row) breaks(part string) bool {
	return part == "" || slices.ContainsFunc(r.Rules, func(rule string) bool {
		return strings.Contains(strings.ToLower(rule), strings.ToLower(part))
	})
}

// keys lists the files of a dataset, the newest date first.
func (s Store) keys(ctx context.Context, dataset, date string) ([]string, error) {
	prefix := "quarantine/" + dataset + "/"
	if date != "" {
		prefix += "ingest_date=" + date + "/"
	}
	var keys []string
	pages := s3.NewListObjectsV2Paginator(s.Objects, &s3.ListObjectsV2Input{Bucket: &s.Processed, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list s3://%s/%s: %w", s.Processed, prefix, err)
		}
		for _, object := range page.Contents {
			if key := aws.ToString(object.Key); published.MatchString(key) {
				keys = append(keys, key)
			}
		}
	}
	slices.SortStableFunc(keys, func(a, b string) int {
		return strings.Compare(published.FindStringSubmatch(b)[2], published.FindStringSubmatch(a)[2])
	})
	return keys, nil
}

func (s Store) read(ctx context.Context, key string) ([]Row, error) {
	object, err := s.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.Processed, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("s3://%s/%s: %w", s.Processed, key, err)
	}
	defer object.Body.Close()
	parts := published.FindStringSubmatch(key)
	var rows []Row
	lines := bufio.NewReader(object.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			row, err := parse(line)
			if err != nil {
				return nil, fmt.Errorf("s3://%s/%s, row %d: %w", s.Processed, key, len(rows)+1, err)
			}
			row.Dataset, row.Date, row.Execution = parts[1], parts[2], parts[3]
			rows = append(rows, row)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("s3://%s/%s: %w", s.Processed, key, err)
		}
	}
}

// parse reads a line of JSON as the job wrote it, and keeps the order of its columns.
func parse(line []byte) (Row, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return Row{}, errors.New("no JSON object")
	}
	row := Row{Row: map[string]string{}}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return Row{}, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return Row{}, err
		}
		column, text := name.(string), textOf(value)
		switch column {
		case rulesColumn:
			row.Rules = strings.Split(text, "\n")
		case dateColumn:
		default:
			row.Columns, row.Row[column] = append(row.Columns, column), text
		}
	}
	row.ID = identity(row.Row)
	return row, nil
}

// textOf is a JSON string's text, and the JSON of any other value.
func textOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// broken is what readers put for bytes that are no UTF-8: one sign for each byte, or for several.
var broken = regexp.MustCompile("\uFFFD+")

// identity tells rows of different content apart. Bytes that are no UTF-8 count as one sign each run.
func identity(row map[string]string) string {
	hash := sha256.New()
	for _, column := range slices.Sorted(maps.Keys(row)) {
		text := row[column]
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		fmt.Fprintf(hash, "%q=%q\n", column, broken.ReplaceAllString(text, "\uFFFD"))
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// ColumnsOf are the columns of all rows in the order in which they first come; what lies beyond the
// last column comes last.
func ColumnsOf(rows []Row) []string {
	var columns []string
	known := map[string]bool{Beyond: true}
	beyond := false
	for _, row := range rows {
		for i, column := range row.Columns {
			beyond = beyond || column == Beyond
			if !known[column] {
				known[column] = true
				// A row with blanks left out tells where a column stands by its neighbour before it.
				columns = insertAfter(columns, row.Columns[:i], column)
			}
		}
	}
	if beyond {
		columns = append(columns, Beyond)
	}
	return columns
}

func insertAfter(columns, before []string, column string) []string {
	for _, neighbour := range slices.Backward(before) {
		if at := slices.Index(columns, neighbour); at >= 0 {
			return slices.Insert(columns, at+1, column)
		}
	}
	return slices.Insert(columns, 0, column)
}

// RuleCount is how many rows broke a rule.
type RuleCount struct {
	Dataset string `json:"dataset"`
	Rule    string `json:"rule"`
	Rows    int    `json:"rows"`
}

// CountByRule counts rows by the rules they broke, the most first. A row counts for each of its rules.
func CountByRule(rows []Row) []RuleCount {
	counts := map[[2]string]int{}
	for _, row := range rows {
		for _, rule := range row.Rules {
			counts[[2]string{row.Dataset, rule}]++
		}
	}
	list := []RuleCount{}
	for key, count := range counts {
		list = append(list, RuleCount{key[0], key[1], count})
	}
	slices.SortFunc(list, func(a, b RuleCount) int {
		if a.Dataset != b.Dataset {
			return strings.Compare(a.Dataset, b.Dataset)
		}
		if a.Rows != b.Rows {
			return b.Rows - a.Rows
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return list
}

// BatchCount is how many rows of a batch were set aside, and by which run.
type BatchCount struct {
	Dataset   string `json:"dataset"`
	Date      string `json:"ingest_date"`
	Execution string `json:"execution"`
	Rows      int    `json:"rows"`
}

// CountByBatch counts rows by batch, in the order of the rows.
func CountByBatch(rows []Row) []BatchCount {
	list := []BatchCount{}
	for _, row := range rows {
		last := len(list) - 1
		if last < 0 || list[last].Dataset != row.Dataset || list[last].Date != row.Date || list[last].Execution != row.Execution {
			list = append(list, BatchCount{row.Dataset, row.Date, row.Execution, 0})
			last++
		}
		list[last].Rows++
	}
	return list
}
