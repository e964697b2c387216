package render

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"moviepipeline/internal/execution"
)

// Times of the display: how often a terminal is redrawn, and after how long a step under way is
// told of where lines are only added.
const (
	redraw   = 100 * time.Millisecond
	patience = 5 * time.Second
	barWidth = 30
)

// Display shows live what is being done: on a terminal the steps under way with their times and a
// bar, elsewhere a line for each step when it ends. Its methods may be called from any goroutine.
type Display struct {
	out   io.Writer
	live  bool
	paint paint
	now   func() time.Time
	began time.Time

	mutex    sync.Mutex
	items    []*item
	told     map[*execution.Visit]*item
	done     int
	expected int
	drawn    int
	stop     chan struct{}
	stopped  sync.WaitGroup
	closing  sync.Once
}

// item is one line: a task of the command itself or a step of the run.
type item struct {
	name, dataset, detail string
	began, ended          time.Time
	status                string
	announced             bool
}

// NewDisplay shows on out until it is closed.
func NewDisplay(out io.Writer) *Display {
	display := newDisplay(out, IsTerminal(out), colourful(out), time.Now)
	display.start()
	return display
}

func newDisplay(out io.Writer, live, colours bool, now func() time.Time) *Display {
	return &Display{
		out: out, live: live, paint: paint{colours}, now: now, began: now(),
		told: map[*execution.Visit]*item{}, stop: make(chan struct{}),
	}
}

// start redraws until the display is closed.
func (d *Display) start() {
	d.stopped.Add(1)
	go func() {
		defer d.stopped.Done()
		ticker := time.NewTicker(redraw)
		defer ticker.Stop()
		for {
			select {
			case <-d.stop:
				return
			case <-ticker.C:
				d.mutex.Lock()
				d.draw()
				d.mutex.Unlock()
			}
		}
	}()
}

// Close ends the display and leaves what was said. Later calls do nothing.
func (d *Display) Close() {
	d.closing.Do(func() { close(d.stop) })
	d.stopped.Wait()
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.erase()
}

// Task shows that the command itself does something, until Done or Failed is called.
func (d *Display) Task(name string) *Task {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	task := &Task{display: d, item: &item{name: name, began: d.now(), status: execution.Running}}
	d.items = append(d.items, task.item)
	return task
}

// Say adds a line of its own.
func (d *Display) Say(line string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.erase()
	fmt.Fprintln(d.out, line)
	d.draw()
}

// Expect sets the number of steps that the bar stands for.
func (d *Display) Expect(steps int) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.expected = steps
}

// Follow shows how far a run has got.
func (d *Display) Follow(progress *execution.Progress) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	for _, visit := range progress.Visits {
		d.follow(visit)
	}
	d.done = progress.Done()
	d.draw()
}

func (d *Display) follow(visit *execution.Visit) {
	line := d.told[visit]
	if line == nil {
		line = &item{name: visit.Step, dataset: visit.Dataset, began: visit.Began, status: execution.Running}
		d.told[visit] = line
		d.items = append(d.items, line)
	}
	if line.status == execution.Running && visit.Closed {
		d.finish(line, visit.Status, visit.Ended)
	}
}

// Task is something that the command itself does, such as an upload.
type Task struct {
	display *Display
	item    *item
}

// Detail says how far it is.
func (t *Task) Detail(words string) {
	t.display.mutex.Lock()
	defer t.display.mutex.Unlock()
	t.item.detail = words
}

// End says that it is over: done when err is nil.
func (t *Task) End(err error) {
	t.display.mutex.Lock()
	defer t.display.mutex.Unlock()
	status := execution.Succeeded
	if err != nil {
		status = execution.Failed
	}
	t.display.finish(t.item, status, t.display.now())
}

// finish takes the item from those under way and adds its line for good.
func (d *Display) finish(line *item, status string, ended time.Time) {
	line.status, line.ended = status, ended
	for i, other := range d.items {
		if other == line {
			d.items = append(d.items[:i], d.items[i+1:]...)
			break
		}
	}
	d.erase()
	fmt.Fprintln(d.out, d.line(line))
	d.draw()
}

func (d *Display) line(line *item) string {
	sign, status := d.paint.good("✓"), ""
	if line.status != execution.Succeeded {
		sign, status = d.paint.bad("✗"), "  "+d.paint.bad(strings.ToLower(line.status))
	}
	return fmt.Sprintf("%s %s%s%s", sign, label(line), d.paint.dim(fmt.Sprintf("%12s", duration(line.seconds(d.now())))), status)
}

func label(line *item) string { return fmt.Sprintf("%-12s %-12s", line.name, line.dataset) }

func (i *item) seconds(now time.Time) float64 {
	if !i.ended.IsZero() {
		now = i.ended
	}
	return max(0, now.Sub(i.began).Seconds())
}

// draw shows what is under way: on a terminal below all that was said, else a line, once.
func (d *Display) draw() {
	if !d.live {
		d.announce()
		return
	}
	d.erase()
	lines := make([]string, 0, len(d.items)+1)
	for _, line := range d.items {
		lines = append(lines, fmt.Sprintf("%s %s%12s  %s", d.spinner(), label(line), duration(line.seconds(d.now())), d.paint.dim(line.detail)))
	}
	if d.expected > 0 {
		lines = append(lines, d.bar())
	}
	// A line that the terminal wraps would count as one and be erased by half.
	if columns := width(d.out); columns > 0 {
		for i, line := range lines {
			lines[i] = text.Trim(line, columns-1)
		}
	}
	if len(lines) > 0 {
		fmt.Fprintln(d.out, strings.Join(lines, "\n"))
	}
	d.drawn = len(lines)
}

// announce tells of what takes long where nothing can be redrawn.
func (d *Display) announce() {
	for _, line := range d.items {
		if !line.announced && line.seconds(d.now()) >= patience.Seconds() {
			line.announced = true
			fmt.Fprintf(d.out, "… %s under way\n", label(line))
		}
	}
}

// erase takes the drawn lines away, so that the next words stand in their place.
func (d *Display) erase() {
	if d.drawn > 0 {
		fmt.Fprintf(d.out, "\x1b[%dA\x1b[J", d.drawn)
		d.drawn = 0
	}
}

func (d *Display) spinner() string {
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return string(frames[int(d.now().Sub(d.began)/redraw)%len(frames)])
}

func (d *Display) bar() string {
	done := min(d.done, d.expected)
	full := barWidth * done / d.expected
	return fmt.Sprintf("  %s%s %d of %d steps, %s",
		d.paint.good(strings.Repeat("━", full)), d.paint.dim(strings.Repeat("─", barWidth-full)),
		done, d.expected, duration(d.now().Sub(d.began).Seconds()))
}
