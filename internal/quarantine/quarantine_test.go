package quarantine

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/usage"
)

// set is a row as the job wrote it.
func set(t *testing.T, line string) Row {
	t.Helper()
	row, err := parse([]byte(line))
	require.NoError(t, err)
	row.Dataset, row.Date, row.Execution = "films", "2026-01-31", "run-1"
	return row
}

func TestParseKeepsTheRowAndTakesTheRulesOut(t *testing.T) {
	row := set(t, `{"id":"1","title":"A, \"B\"","n":7,"ingest_date":"2026-01-31","rules_broken":"a > 1\nIsUnique \"id\""}`)
	assert.Equal(t, []string{"id", "title", "n"}, row.Columns)
	assert.Equal(t, map[string]string{"id": "1", "title": `A, "B"`, "n": "7"}, row.Row)
	assert.Equal(t, []string{"a > 1", `IsUnique "id"`}, row.Rules)
	_, err := parse([]byte("[1]"))
	require.Error(t, err)
}

func TestIdentityIsOfTheContentAlone(t *testing.T) {
	one := set(t, `{"id":"1","title":"x","rules_broken":"a"}`)
	assert.Equal(t, one.ID, set(t, `{"title":"x","id":"1","rules_broken":"b"}`).ID)
	assert.NotEqual(t, one.ID, set(t, `{"id":"1","title":"","rules_broken":"a"}`).ID)
	assert.NotEqual(t, set(t, `{"id":"1","title":""}`).ID, set(t, `{"id":"1"}`).ID, "a blank is no missing field")
	// Spark puts a sign for each byte that is no UTF-8, others one for several.
	assert.Equal(t, identity(map[string]string{"a": "x\xff\xfe"}), set(t, `{"a":"x`+"\uFFFD\uFFFD"+`"}`).ID)
}

func TestColumnsStandInTheOrderOfTheFile(t *testing.T) {
	rows := []Row{
		set(t, `{"a":"1","c":"3","beyond_last_column":"x"}`), set(t, `{"b":"2","d":"4"}`), set(t, `{"a":"1","b":"2","c":"3","d":"4"}`),
	}
	columns := ColumnsOf(rows)
	assert.ElementsMatch(t, []string{"a", "b", "c", "d", Beyond}, columns)
	assert.Equal(t, Beyond, columns[4])
}

func TestFieldsAreReadAsTheBatchTableIs(t *testing.T) {
	for line, want := range map[string][]string{
		`a,b`:            {"a", "b"},
		`a,`:             {"a", ""},
		`"a,b",c`:        {"a,b", "c"},
		`"a ""b""",c`:    {`a "b"`, "c"},
		`a\,"b\"`:        {`a\`, `b\`},
		`"open,a`:        {"open,a"},
		` a , "b" `:      {" a ", " b "},
		`"Åse","O'Hara"`: {"Åse", "O'Hara"},
	} {
		assert.Equal(t, want, fieldsOf(line), line)
		names := []string{"a", "b", "c"}[:len(want)]
		assert.Equal(t, want, fieldsOf(lineOf(names, rowOf(names, line))), line)
	}
}

// mend replaces in a file what a sheet says; it gives the file and how many rows were replaced.
func mend(t *testing.T, content string, mendings []Mending) (string, int, *replacement) {
	t.Helper()
	var out bytes.Buffer
	work := newReplacement(mendings)
	found, err := work.copy(strings.NewReader(content), &out)
	require.NoError(t, err)
	return out.String(), found, work
}

func TestEveryCopyOfABadRowIsReplacedAndNoOtherByte(t *testing.T) {
	bad := set(t, `{"id":"x","title":"A, B","rules_broken":"a"}`)
	good := map[string]string{"id": "1", "title": `A, "B"`}
	content := "Id,Title\r\nx,\"A, B\"\r\n\r\n\"7\",plain\r\nx,\"A, B\""

	mended, found, work := mend(t, content, []Mending{{bad, good}})

	assert.Equal(t, "Id,Title\r\n1,\"A, \"\"B\"\"\"\r\n\r\n\"7\",plain\r\n1,\"A, \"\"B\"\"\"", mended)
	assert.Equal(t, 2, found)
	done, err := work.check("raw", "p/")
	require.NoError(t, err)
	assert.Zero(t, done.Before)

	again, found, work := mend(t, mended, []Mending{{bad, good}})
	assert.Equal(t, mended, again)
	assert.Zero(t, found)
	done, err = work.check("raw", "p/")
	require.NoError(t, err)
	assert.Equal(t, 1, done.Before, "a second try finds the work done")
}

func TestRowsOfAnotherWidthAreMended(t *testing.T) {
	short := set(t, `{"id":"1","rules_broken":"a"}`)
	long := set(t, `{"id":"2","title":"b","beyond_last_column":"c","rules_broken":"a"}`)
	mended, found, _ := mend(t, "id,title\n1\n2,b,c,d\n", []Mending{
		{short, map[string]string{"id": "1", "title": "one", Beyond: ""}},
		{long, map[string]string{"id": "2", "title": "b,c", Beyond: ""}},
	})
	assert.Equal(t, "id,title\n1,one\n2,\"b,c\"\n", mended)
	assert.Equal(t, 2, found)
}

func TestARowThatIsNotInTheBatchIsRefused(t *testing.T) {
	bad := set(t, `{"id":"9","title":"gone","rules_broken":"a"}`)
	_, _, work := mend(t, "id,title\n1,a\n", []Mending{{bad, map[string]string{"id": "9", "title": "back"}}})
	_, err := work.check("raw", "p/")
	require.ErrorContains(t, err, "Nothing was written")
	assert.True(t, usage.Is(err))

	_, err = newReplacement([]Mending{{bad, nil}}).copy(strings.NewReader("id\n1\n"), &bytes.Buffer{})
	require.ErrorContains(t, err, "lacks the column title")
}

func TestASheetComesBackAsWhatWasEditedInIt(t *testing.T) {
	rows := []Row{set(t, `{"id":"x","title":"A","rules_broken":"a\nb"}`), set(t, `{"id":"y","rules_broken":"c"}`)}
	var sheet bytes.Buffer
	require.NoError(t, WriteCSV(&sheet, rows))
	unchanged, err := ReadMended(strings.NewReader(sheet.String()), "rows.csv", rows)
	require.NoError(t, err)
	assert.Empty(t, unchanged)

	edited := strings.Replace(sheet.String(), ",x,A", ",1,A", 1)
	mendings, err := ReadMended(strings.NewReader("\uFEFF"+edited), "rows.csv", rows)
	require.NoError(t, err)
	assert.Equal(t, []Mending{{rows[0], map[string]string{"id": "1", "title": "A"}}}, mendings)
}

func TestASheetThatDoesNotFitIsRefused(t *testing.T) {
	rows := []Row{set(t, `{"id":"x","title":"A","rules_broken":"a"}`), set(t, `{"id":"x","title":"B","beyond_last_column":"c"}`), set(t, `{"id":"x","title":"C"}`)}
	var written bytes.Buffer
	require.NoError(t, WriteCSV(&written, rows))
	sheet := written.String()
	line := strings.SplitAfterN(sheet, "\n", 2)[1]
	for name, c := range map[string]struct{ text, want string }{
		"empty":           {"", "no CSV file"},
		"other columns":   {"a,b\n1,2\n", "no column quarantine_id"},
		"further column":  {strings.Replace(sheet, ",id", ",year,id", 1), `column "year"`},
		"missing column":  {strings.Replace(sheet, ",title", "", 1), "no column title"},
		"unknown row":     {strings.Replace(sheet, rows[0].ID, "0000", 1), "no row"},
		"another run":     {strings.Replace(sheet, "run-1", "run-0", 1), "is now that of run run-1"},
		"twice":           {sheet + line, "stands in line 2 already"},
		"line break":      {strings.Replace(sheet, ",A", ",\"A\nB\"", 1), "line break"},
		"too many fields": {strings.Replace(sheet, ",A", ",A,B", 1), "7 fields, the header has 6"},
		"a bad row":       {strings.Replace(sheet, ",A", ",C", 1), "is the same as " + rows[2].ID},
		"no CSV any more": {strings.Replace(sheet, ",A", `,"A`, 1), "rows.csv"},
	} {
		_, err := ReadMended(strings.NewReader(c.text), "rows.csv", rows)
		require.ErrorContains(t, err, c.want, name)
		assert.True(t, usage.Is(err), name)
	}
}

func TestRowsAreCountedByRuleAndByBatch(t *testing.T) {
	rows := []Row{set(t, `{"id":"1","rules_broken":"a\nb"}`), set(t, `{"id":"2","rules_broken":"b"}`)}
	assert.Equal(t, []RuleCount{{"films", "b", 2}, {"films", "a", 1}}, CountByRule(rows))
	assert.Equal(t, []BatchCount{{"films", "2026-01-31", "run-1", 2}}, CountByBatch(rows))
	assert.True(t, rows[0].breaks("A"))
	assert.False(t, rows[1].breaks("a"))
}
