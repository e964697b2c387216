package visual

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The scripts are laid out as `black` and `ruff format` would with lines of so many characters, so that
// they look like those that Glue Studio formats.
const scriptLine = 120

// expression is a Python expression that can be laid out on one line or on several.
type expression interface {
	// flat is the expression on one line.
	flat() string
	// broken is the expression over several lines, of which all but the first are indented.
	broken(indent int) string
}

// raw is an expression that stays on its line: a name, a number, a text.
type raw string

func (r raw) flat() string        { return string(r) }
func (r raw) broken(_ int) string { return string(r) }

// bracketed is a list, tuple, set, dictionary or call: items between brackets.
type bracketed struct {
	open, end string
	items     []item
	// exploded puts each item on a line of its own however short they are.
	exploded bool
}

// item is one item: key is "" in lists, `"name": ` in dictionaries, `name=` in calls.
type item struct {
	key   string
	value expression
}

func (b bracketed) flat() string {
	var parts []string
	for _, item := range b.items {
		parts = append(parts, item.key+item.value.flat())
	}
	end := b.end
	if b.open == "(" && len(b.items) == 1 { // A tuple of one.
		end = "," + end
	}
	return b.open + strings.Join(parts, ", ") + end
}

func (b bracketed) broken(indent int) string {
	if len(b.items) == 0 {
		return b.flat()
	}
	var out strings.Builder
	out.WriteString(b.open + "\n")
	inner := indent + 4
	for _, item := range b.items {
		out.WriteString(strings.Repeat(" ", inner) + item.key + layOut(item.value, inner, len(item.key)+1) + ",\n")
	}
	out.WriteString(strings.Repeat(" ", indent) + b.end)
	return out.String()
}

// layOut gives the expression on one line if that and so many other characters fit, else on several.
func layOut(value expression, indent, others int) string {
	if isExploded(value) || indent+others+len([]rune(value.flat())) > scriptLine {
		return value.broken(indent)
	}
	return value.flat()
}

func isExploded(value expression) bool {
	b, ok := value.(bracketed)
	if !ok {
		return false
	}
	for _, item := range b.items {
		if isExploded(item.value) {
			return true
		}
	}
	return b.exploded && len(b.items) > 0
}

func list(values ...expression) bracketed {
	b := bracketed{open: "[", end: "]"}
	for _, value := range values {
		b.items = append(b.items, item{value: value})
	}
	return b
}

// call is written with one argument a line, as are dict and rows.
func call(function string, arguments ...item) bracketed {
	return bracketed{open: function + "(", end: ")", items: arguments, exploded: true}
}

func argument(name string, value expression) item { return item{name + "=", value} }

func dict(entries ...item) bracketed { return bracketed{open: "{", end: "}", items: entries} }

func entry(key string, value expression) item { return item{quote(key) + ": ", value} }

// rows is a list with one item a line.
func rows(values ...expression) bracketed {
	b := list(values...)
	b.exploded = true
	return b
}

func boolean(on bool) raw {
	if on {
		return "True"
	}
	return "False"
}

// quote writes a Python text. It takes double quotes, as formatters do, unless single ones need fewer
// escapes.
func quote(text string) string {
	mark := byte('"')
	if strings.Count(text, `"`) > strings.Count(text, `'`) {
		mark = '\''
	}
	return string(mark) + escape(text, mark) + string(mark)
}

// escape escapes a text that stands between marks.
func escape(text string, mark byte) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\\' || r == rune(mark):
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case !unicode.IsPrint(r):
			out.WriteString(codePoint(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func codePoint(r rune) string {
	switch {
	case r < 0x100:
		return fmt.Sprintf(`\x%02x`, r)
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	default:
		return fmt.Sprintf(`\U%08x`, r)
	}
}

// block writes a text of several lines between triple quotes, on lines of its own.
func block(text string) string {
	var out strings.Builder
	for _, r := range strings.TrimRight(text, "\n") {
		switch {
		case r == '\\':
			out.WriteString(`\\`)
		case r != '\n' && r != '\t' && !unicode.IsPrint(r):
			out.WriteString(codePoint(r))
		default:
			out.WriteRune(r)
		}
	}
	return `"""` + "\n" + strings.ReplaceAll(out.String(), `"""`, `\"\"\"`) + "\n" + `"""`
}

// identifier makes a Python name of a text: what Glue Studio makes of a node's name, which is the text
// without what cannot stand in a name.
func identifier(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return -1
	}, text)
	if name == "" || unicode.IsDigit(rune(name[0])) {
		return "_" + name
	}
	return name
}

// isNumber tells whether a text is a plain decimal number.
func isNumber(text string) bool {
	if strings.ContainsAny(text, "xXpPnNiI_") {
		return false
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}
