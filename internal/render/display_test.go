package render

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/execution"
)

// clock is a time that stands still until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) move(seconds float64) { c.at = c.at.Add(time.Duration(seconds * float64(time.Second))) }

func testDisplay(live bool) (*Display, *bytes.Buffer, *clock) {
	out := &bytes.Buffer{}
	hands := &clock{time.Date(2026, 1, 31, 4, 0, 0, 0, time.UTC)}
	return newDisplay(out, live, false, hands.now), out, hands
}

func TestLinesWhereThereIsNoTerminal(t *testing.T) {
	display, out, hands := testDisplay(false)
	task := display.Task("Upload")
	task.Detail("films/a.csv")
	hands.move(1.5)
	task.End(nil)
	display.Say("Run x")
	gate := &execution.Visit{Step: "Gate", Dataset: "films", Status: execution.Running, Began: hands.now()}
	progress := &execution.Progress{Visits: []*execution.Visit{gate}}
	display.Follow(progress)
	hands.move(6)
	display.Follow(progress)
	display.Follow(progress)
	gate.Status, gate.Closed, gate.Ended = execution.Failed, true, hands.now()
	display.Follow(progress)
	display.Follow(progress)
	display.Close()

	assert.Equal(t, `✓ Upload                          1.5 s
Run x
… Gate         films        under way
✗ Gate         films              6.0 s  failed
`, out.String())
}

func TestFailedTask(t *testing.T) {
	display, out, _ := testDisplay(false)
	display.Task("Deploy").End(errors.New("no"))
	assert.Equal(t, "✗ Deploy                          0.0 s  failed\n", out.String())
}

// TestTerminalIsRedrawn: what was drawn is erased before each word that stays.
func TestTerminalIsRedrawn(t *testing.T) {
	display, out, hands := testDisplay(true)
	display.Expect(4)
	load := &execution.Visit{Step: "Load", Status: execution.Running, Began: hands.now()}
	hands.move(2)
	display.Follow(&execution.Progress{Visits: []*execution.Visit{load}})
	assert.Equal(t, "⠋ Load                            2.0 s  \n  ────────────────────────────── 0 of 4 steps, 2.0 s\n",
		spinnerAtRest(out.String()))
	out.Reset()
	load.Status, load.Closed, load.Ended = execution.Succeeded, true, hands.now()
	display.Follow(&execution.Progress{Visits: []*execution.Visit{load}})
	assert.Equal(t, "\x1b[2A\x1b[J✓ Load                            2.0 s\n"+
		"  ────────────────────────────── 0 of 4 steps, 2.0 s\n"+
		"\x1b[1A\x1b[J  ━━━━━━━─────────────────────── 1 of 4 steps, 2.0 s\n", out.String())
	out.Reset()
	display.Close()
	assert.Equal(t, "\x1b[1A\x1b[J", out.String())
	display.Close()
}

// spinnerAtRest replaces whichever frame of the spinner is shown.
func spinnerAtRest(text string) string {
	for _, frame := range "⠙⠹⠸⠼⠴⠦⠧⠇⠏" {
		text = string(bytes.ReplaceAll([]byte(text), []byte(string(frame)), []byte("⠋")))
	}
	return text
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{
		0: "0.0 s", 59.94: "59.9 s", 59.96: "1 min 00 s", 125: "2 min 05 s", 3599.6: "1 h 00 min", 7384: "2 h 03 min",
	} {
		assert.Equal(t, want, duration(seconds))
	}
}

func TestCount(t *testing.T) {
	for rows, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -12345: "-12,345"} {
		assert.Equal(t, want, count(&rows))
	}
	assert.Equal(t, "–", count(nil))
}
