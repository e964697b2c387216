package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the templates of testdata anew")

// assetHash changes with each edit of a script or of the workflow. What is in assets is the matter of
// other tests.
var assetHash = regexp.MustCompile(`[0-9a-f]{64}`)

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
				require.Equal(t, string(expected), string(template))
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
	return assetHash.ReplaceAll(indented.Bytes(), []byte("ASSET"))
}
