package quarantine

import (
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"moviepipeline/internal/usage"
)

// Columns of the file for editing that are not of the row itself.
const (
	idColumn        = "quarantine_id"
	executionColumn = "quarantine_execution"
	brokenColumn    = "quarantine_rules_broken"
)

// WriteCSV writes rows for editing: what identifies each, the rules it broke, then its own columns.
func WriteCSV(out io.Writer, rows []Row) error {
	columns := ColumnsOf(rows)
	writer := csv.NewWriter(out)
	if err := writer.Write(append([]string{idColumn, executionColumn, brokenColumn}, columns...)); err != nil {
		return err
	}
	for _, row := range rows {
		fields := []string{row.ID, row.Execution, strings.Join(row.Rules, "\n")}
		for _, column := range columns {
			fields = append(fields, row.Row[column])
		}
		if err := writer.Write(fields); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// Mending is a row that was set aside with what it is to be instead.
type Mending struct {
	Bad  Row
	Good map[string]string
}

// ReadMended reads a file that WriteCSV wrote and somebody edited, and gives the rows that differ from
// those in quarantine. It is wrong usage when a row is not, or no longer, in quarantine; rows left out of
// the file stay as they are.
func ReadMended(in io.Reader, name string, rows []Row) ([]Mending, error) {
	reader := csv.NewReader(in)
	reader.FieldsPerRecord = -1
	header, err := reader.Read()
	if err != nil {
		return nil, usage.Errorf("%s: no CSV file with a header (%w); make it with `pipeline quarantine show --output csv`", name, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\uFEFF") // as spreadsheets write it
	sheet := sheet{name: name, header: header, known: map[string]Row{}, seen: map[string]int{}}
	for _, row := range rows {
		sheet.known[row.ID] = row
	}
	if err := sheet.checkHeader(ColumnsOf(rows)); err != nil {
		return nil, err
	}
	var mendings []Mending
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return mendings, nil
		}
		if err != nil {
			return nil, usage.Errorf("%s: %w", name, err)
		}
		line, _ := reader.FieldPos(0)
		mending, changed, err := sheet.row(line, fields)
		if err != nil {
			return nil, err
		}
		if changed {
			mendings = append(mendings, mending)
		}
	}
}

// sheet is a file with mended rows.
type sheet struct {
	name   string
	header []string
	known  map[string]Row
	// seen has the line of each row read so far.
	seen map[string]int
}

func (s sheet) checkHeader(columns []string) error {
	for _, wanted := range append([]string{idColumn, executionColumn}, columns...) {
		if !slices.Contains(s.header, wanted) {
			return usage.Errorf("%s has no column %s; keep all columns that `pipeline quarantine show --output csv` wrote", s.name, wanted)
		}
	}
	for _, column := range s.header {
		if !slices.Contains(append([]string{idColumn, executionColumn, brokenColumn}, columns...), column) {
			return usage.Errorf("%s has a column %q that the rows in quarantine have not", s.name, column)
		}
	}
	return nil
}

func (s sheet) row(line int, fields []string) (Mending, bool, error) {
	if len(fields) != len(s.header) {
		return Mending{}, false, usage.Errorf("%s, line %d: %d fields, the header has %d", s.name, line, len(fields), len(s.header))
	}
	good := map[string]string{}
	for i, column := range s.header {
		good[column] = fields[i]
	}
	id, execution := good[idColumn], good[executionColumn]
	delete(good, idColumn)
	delete(good, executionColumn)
	delete(good, brokenColumn)
	bad, known := s.known[id]
	switch {
	case !known:
		return Mending{}, false, usage.Errorf("%s, line %d: no row %q is in quarantine; it went through since, or its %s was changed: `pipeline quarantine show` has what is there now", s.name, line, id, idColumn)
	case execution != bad.Execution:
		return Mending{}, false, usage.Errorf("%s, line %d: the row was set aside by run %s, but the quarantine is now that of run %s: write the file anew with `pipeline quarantine show --output csv`", s.name, line, execution, bad.Execution)
	case s.seen[id] > 0:
		return Mending{}, false, usage.Errorf("%s, line %d: the row %s stands in line %d already", s.name, line, id, s.seen[id])
	}
	s.seen[id] = line
	changed := false
	for column, text := range good {
		changed = changed || text != bad.Row[column]
		if strings.ContainsAny(text, "\r\n\x7f") {
			return Mending{}, false, usage.Errorf("%s, line %d: the field %s has a line break or a control character; a batch is read line by line", s.name, line, column)
		}
	}
	// A second try after a crash would take the mended row for the other bad one.
	if other, bad := s.known[contentOf(good)]; changed && bad {
		return Mending{}, false, usage.Errorf("%s, line %d: mended, the row is the same as %s, which is in quarantine as well: it would break the rules again", s.name, line, other.ID)
	}
	return Mending{bad, good}, changed, nil
}

// contentOf is the identity of a mended row, as the job would set it aside.
func contentOf(good map[string]string) string {
	row := maps.Clone(good)
	if row[Beyond] == "" {
		delete(row, Beyond)
	}
	return identity(row)
}
