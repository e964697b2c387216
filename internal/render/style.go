// Package render writes what people and programs read: progress, tables, JSON and CSV.
package render

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/mattn/go-isatty"
	"golang.org/x/sys/unix"
)

// IsTerminal tells whether out is a terminal that can redraw its lines.
func IsTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && isatty.IsTerminal(file.Fd())
}

// colourful follows https://no-color.org.
func colourful(out io.Writer) bool { return IsTerminal(out) && os.Getenv("NO_COLOR") == "" }

// width is the number of columns of a terminal; 0 for what is none.
func width(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

type paint struct{ on bool }

func (p paint) with(code, words string) string {
	if !p.on || words == "" {
		return words
	}
	return "\x1b[" + code + "m" + words + "\x1b[0m"
}

func (p paint) good(words string) string { return p.with("32", words) }
func (p paint) bad(words string) string  { return p.with("31", words) }
func (p paint) dim(words string) string  { return p.with("2", words) }
func (p paint) bold(words string) string { return p.with("1", words) }

// newTable is a table of one look for all commands, cut at the terminal's edge.
func newTable(out io.Writer) table.Writer {
	writer := table.NewWriter()
	writer.SetOutputMirror(out)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options.DrawBorder = false
	style.Size.WidthMax = width(out)
	writer.SetStyle(style)
	return writer
}

// duration writes seconds as people say them: 3.2 s, 1 min 05 s, 2 h 03 min.
func duration(seconds float64) string {
	whole := int(seconds + 0.5)
	switch {
	case seconds < 59.95:
		return fmt.Sprintf("%.1f s", seconds)
	case whole < 3600:
		return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
	default:
		return fmt.Sprintf("%d h %02d min", whole/3600, whole%3600/60)
	}
}

// count writes a number of rows with thousands apart; a dash for none known.
func count(rows *int64) string {
	if rows == nil {
		return "–"
	}
	digits := strconv.FormatInt(*rows, 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), ",")
}

func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format("2006-01-02 15:04:05")
}
