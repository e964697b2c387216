package visual

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the scripts of the cases instead of comparing with them")

// The cases are run on Spark as well, by test/python/visual; here their scripts are compared to the byte.
const cases = checkout + "/test/python/visual"

func caseFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cases, "*", "dag.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func loadCase(t *testing.T, file string) *DAG {
	t.Helper()
	path, err := filepath.Abs(file)
	require.NoError(t, err)
	root, err := filepath.Abs(checkout)
	require.NoError(t, err)
	dag, err := Load(root, path)
	require.NoError(t, err)
	return dag
}

func TestScriptsOfTheCasesAreAsTheyWere(t *testing.T) {
	for _, file := range caseFiles(t) {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			script, err := Script(loadCase(t, file))
			require.NoError(t, err)
			golden := filepath.Join(folder, "script.py")
			if *update {
				require.NoError(t, os.WriteFile(golden, script, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(script), "if this is meant: go test ./internal/visual -update")
		})
	}
}

func TestEachTypeOfNodeHasACase(t *testing.T) {
	covered := map[string]bool{}
	for _, file := range caseFiles(t) {
		for _, node := range loadCase(t, file).Nodes {
			covered[node.Type] = true
		}
	}
	assert.Equal(t, Types(), slices.Sorted(maps.Keys(covered)))
}

// Whatever member a DAG lacks, there is a finding or a script.
func TestNoMissingMemberBreaksTheGenerator(t *testing.T) {
	for _, file := range caseFiles(t) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		whole, err := parseJSON(content)
		require.NoError(t, err)
		for _, less := range withoutOne(whole) {
			var out bytes.Buffer
			require.NoError(t, writeFlat(&out, less))
			read := func(name string) (string, error) { return readInclude(checkout, name) }
			dag, err := Parse(file, out.Bytes(), read)
			if err != nil {
				continue
			}
			assert.NotPanics(t, func() {
				_, err = Script(dag)
			}, out.String())
			assert.NoError(t, err)
		}
	}
}

// withoutOne gives the value without each of its members and items in turn, however deep they are.
func withoutOne(value any) []any {
	var all []any
	switch value := value.(type) {
	case object:
		for i, one := range value {
			all = append(all, slices.Delete(slices.Clone(value), i, i+1))
			for _, less := range withoutOne(one.value) {
				changed := slices.Clone(value)
				changed[i].value = less
				all = append(all, changed)
			}
		}
	case []any:
		for i, one := range value {
			all = append(all, slices.Delete(slices.Clone(value), i, i+1))
			for _, less := range withoutOne(one) {
				changed := slices.Clone(value)
				changed[i] = less
				all = append(all, changed)
			}
		}
	}
	return all
}
