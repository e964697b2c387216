package dq

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/usage"
)

// heard notes what it is told.
type heard struct{ told []string }

func (h *heard) Step(name, detail string) { h.told = append(h.told, name+" "+detail) }
func (h *heard) Note(text string)         { h.told = append(h.told, text) }

func TestEventsAreToldUntilTheResult(t *testing.T) {
	progress := &heard{}
	events := `{"step":"Read","detail":"films.csv"}
{"note":"1 row with more fields than the header"}
{"result":{"passed":2,"failed":1,"rows":{"total":7,"failed":3}}}
`
	result, err := listen[Result](strings.NewReader(events), progress)
	require.NoError(t, err)
	assert.Equal(t, []string{"Read films.csv", "1 row with more fields than the header"}, progress.told)
	assert.Equal(t, int64(3), result.Rows.Failed)
	assert.Equal(t, 2, result.Passed)
}

func TestWhatCannotBeUsedIsWrongUsage(t *testing.T) {
	_, err := listen[Result](strings.NewReader(`{"error":"films.csv: the file is empty"}`+"\n"), &heard{})
	assert.True(t, usage.Is(err))
	require.ErrorContains(t, err, "films.csv: the file is empty")
}

func TestAProcessThatBreaksOffHasNoResult(t *testing.T) {
	result, err := listen[Result](strings.NewReader(`{"step":"Read"}`+"\n"), &heard{})
	require.NoError(t, err)
	assert.Nil(t, result)
	_, err = listen[Result](strings.NewReader("Exception in thread\n"), &heard{})
	require.ErrorContains(t, err, `the evaluation said "Exception in thread`)
	assert.False(t, usage.Is(err))
}
