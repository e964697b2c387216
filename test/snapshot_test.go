package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the templates of testdata anew")

// assetHash changes with each edit of a script or of the workflow, and ruleset with each edit of a
// rule. What is in them is the matter of other tests.
var (
	assetHash = regexp.MustCompile(`[0-9a-f]{64}`)
	ruleset   = regexp.MustCompile(`(?m)^(\s+"Ruleset": )".*"`)
)

// Each template is as it is in testdata. After a change that is meant: go test ./test -run Snapshot -update
func TestSnapshots(t *testing.T) {
	inBothForms(t, func(t *testing.T, formName string) {
		for _, stack := range stackNames {
			t.Run(stack, func(t *testing.T) {
				file := filepath.Join("testdata", formName, stack+".template.json")
				template := snapshot(t, form(t, formName).templates[stack])
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, os.WriteFile(file, template, 0o644))
				}
				expected, err := os.ReadFile(file)
				require.NoError(t, err)
				diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
					A: difflib.SplitLines(string(expected)), FromFile: file,
					B: difflib.SplitLines(string(template)), ToFile: "synthesized", Context: 3,
				})
				require.NoError(t, err)
				if diff != "" {
					t.Errorf("%s\nIf this is meant: go test ./test -run Snapshot -update", diff)
				}
			})
		}
	})
}

func snapshot(t *testing.T, template map[string]any) []byte {
	var indented bytes.Buffer
	encoder := json.NewEncoder(&indented)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	require.NoError(t, encoder.Encode(template))
	masked := assetHash.ReplaceAll(indented.Bytes(), []byte("ASSET"))
	return ruleset.ReplaceAll(masked, []byte(`$1"RULES"`))
}
