package render

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moviepipeline/internal/dq"
)

func TestQuality(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "evaluation.json"))
	require.NoError(t, err)
	var result dq.Result
	require.NoError(t, json.Unmarshal(content, &result))
	var written bytes.Buffer
	require.NoError(t, QualityTable(&written, &result, ""))
	golden(t, "quality.txt", written.Bytes())
	written.Reset()
	require.NoError(t, QualityJSON(&written, &result))
	golden(t, "quality.json", written.Bytes())
}

func TestQualityWithoutFailures(t *testing.T) {
	result := dq.Result{Passed: 1, Rules: []dq.Rule{{Rule: "RowCount > 0", Outcome: "Passed", Evaluated: true}}}
	var written bytes.Buffer
	require.NoError(t, QualityTable(&written, &result, "out.jsonl"))
	golden(t, "quality_passed.txt", written.Bytes())
}
