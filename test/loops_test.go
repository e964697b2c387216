package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// way is one way out of a state, with what it assigns to variables.
type way struct {
	from, to string
	assign   map[string]any
	// taken is the condition of a Choice that held; before are its rules that did not.
	taken  string
	before []branch
}

// ways are the ways out of a state. A rule or a catch assigns what it says itself; the state's own
// Assign goes with Next and Default.
func (m machine) ways(from string) []way {
	state := m.States[from]
	var all []way
	for i, choice := range state.Choices {
		all = append(all, way{from, choice.Next, choice.Assign, choice.Condition, state.Choices[:i]})
	}
	for _, catch := range state.Catch {
		all = append(all, way{from, catch.Next, catch.Assign, "", nil})
	}
	all = append(all, way{from, state.Next, state.Assign, "", nil}, way{from, state.Default, state.Assign, "", state.Choices})
	return slices.DeleteFunc(all, func(w way) bool { return w.to == "" })
}

// loops are the ways from a state back to it that pass no other state twice.
func (m machine) loops(start string) [][]way {
	var found [][]way
	var walk func(at string, passed []way)
	walk = func(at string, passed []way) {
		for _, next := range m.ways(at) {
			path := append(slices.Clone(passed), next)
			if next.to == start {
				found = append(found, path)
			} else if !slices.ContainsFunc(passed, func(w way) bool { return w.from == next.to }) {
				walk(next.to, path)
			}
		}
	}
	walk(start, nil)
	return found
}

// tooMany and fewEnough are comparisons of a counter that end a loop, or let it go on.
var (
	tooMany   = regexp.MustCompile(`\$([a-z_]+) >=? `)
	fewEnough = regexp.MustCompile(`\$([a-z_]+) <=? `)
)

// isBounded tells whether a loop counts: one of its ways adds 1 to a variable that no other way of it
// sets, and a Choice lets the loop go on only while that variable is small.
func isBounded(loop []way) bool {
	for _, passed := range loop {
		if compares(fewEnough, passed.taken, loop) {
			return true
		}
		for _, asked := range passed.before {
			leaves := !slices.ContainsFunc(loop, func(w way) bool { return w.from == asked.Next })
			if leaves && compares(tooMany, asked.Condition, loop) {
				return true
			}
		}
	}
	return false
}

func compares(comparison *regexp.Regexp, condition string, loop []way) bool {
	match := comparison.FindStringSubmatch(condition)
	return match != nil && isCounted(loop, match[1])
}

func isCounted(loop []way, variable string) bool {
	increments := 0
	for _, passed := range loop {
		value, isSet := passed.assign[variable]
		if !isSet {
			continue
		}
		if !strings.Contains(text(value), "$"+variable+" + 1") {
			return false
		}
		increments++
	}
	return increments > 0
}

func describe(loop []way) string {
	var names []string
	for _, passed := range loop {
		names = append(names, passed.from)
	}
	return strings.Join(names, " → ")
}

func TestEveryWaitingLoopIsBounded(t *testing.T) {
	whole, _ := readWorkflow(t)
	waits, loops := 0, 0
	for _, machine := range machines(whole) {
		for name, state := range machine.States {
			if state.Type != "Wait" {
				continue
			}
			waits++
			for _, loop := range machine.loops(name) {
				loops++
				assert.True(t, isBounded(loop), "nothing ends the loop %s", describe(loop))
			}
		}
	}
	assert.Positive(t, waits)
	assert.Positive(t, loops)
}

// The test above finds what it looks for.
func TestAnUnboundedLoopIsFound(t *testing.T) {
	ready, late := branch{Condition: "{% $state = 'READY' %}", Next: "start"}, branch{Condition: "{% $polls >= 10 %}", Next: "end"}
	count := map[string]any{"polls": "{% $polls + 1 %}"}
	bounded := func(counted map[string]any, rules []branch, start state) bool {
		loops := machine{States: map[string]state{
			"wait":  {Type: "Wait", Next: "done", Assign: counted},
			"done":  {Type: "Choice", Choices: rules, Default: "wait"},
			"start": start,
		}}.loops("wait")
		require.NotEmpty(t, loops)
		return !slices.ContainsFunc(loops, func(loop []way) bool { return !isBounded(loop) })
	}
	assert.True(t, bounded(count, []branch{ready, late}, state{}))
	assert.False(t, bounded(nil, []branch{ready, late}, state{}), "nothing counts")
	assert.False(t, bounded(count, []branch{ready}, state{}), "nothing compares")
	assert.False(t, bounded(map[string]any{"polls": 0}, []branch{ready, late}, state{}), "the counter starts again")
	assert.False(t, bounded(map[string]any{"other": "{% $other + 1 %}"}, []branch{ready, late}, state{}), "another variable counts")

	again := branch{Condition: "{% $polls < 10 %}", Next: "wait"}
	loop := machine{States: map[string]state{"wait": {Type: "Wait", Next: "done", Assign: count}, "done": {Type: "Choice", Choices: []branch{again}, Default: "end"}}}.loops("wait")
	require.Len(t, loop, 1)
	assert.True(t, isBounded(loop[0]))

	busy := state{Type: "Task", Catch: []branch{{ErrorEquals: []string{"Busy"}, Next: "wait"}}}
	assert.False(t, bounded(count, []branch{ready, late}, busy), "ready and busy by turns")
	assert.True(t, bounded(count, []branch{late, ready}, busy))
}
