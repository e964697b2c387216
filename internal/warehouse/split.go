package warehouse

import (
	"bytes"
	"fmt"
	"strings"
)

// split cuts SQL text into its statements, without comments, without the semicolons and without
// space around them. Semicolons and comment signs in strings, quoted names and dollar quotes are
// text. A quote or comment that does not end is an error with the line where it begins.
func split(text string) ([]string, error) {
	var statements []string
	var current []byte
	finish := func() {
		if statement := bytes.TrimSpace(current); len(statement) > 0 {
			statements = append(statements, string(statement))
		}
		current = nil
	}
	for at := 0; at < len(text); {
		length, comment, err := piece(text[at:])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:at], "\n"), err)
		}
		switch {
		case comment:
			current = bytes.TrimRight(current, " \t\n")
			if text[at] == '/' {
				current = append(current, ' ')
			}
		case text[at] == ';':
			finish()
		default:
			current = append(current, text[at:at+length]...)
		}
		at += length
	}
	finish()
	return statements, nil
}

// piece measures what text begins with: a comment, a quoted text, or else a single byte.
func piece(text string) (length int, comment bool, err error) {
	switch {
	case strings.HasPrefix(text, "--"):
		if end := strings.IndexByte(text, '\n'); end >= 0 {
			return end, true, nil
		}
		return len(text), true, nil
	case strings.HasPrefix(text, "/*"):
		length, err = blockComment(text)
		return length, true, err
	case text[0] == '\'' || text[0] == '"':
		length, err = quoted(text)
		return length, false, err
	case text[0] == '$':
		length, err = dollarQuoted(text)
		return length, false, err
	}
	return 1, false, nil
}

// blockComment measures a comment that may hold further ones, as in PostgreSQL.
func blockComment(text string) (int, error) {
	depth := 0
	for at := 0; at < len(text)-1; at++ {
		switch text[at : at+2] {
		case "/*":
			depth++
			at++
		case "*/":
			depth--
			at++
			if depth == 0 {
				return at + 1, nil
			}
		}
	}
	return 0, fmt.Errorf("the comment %s does not end", "/*")
}

// quoted measures a string or a quoted name. A doubled quote is text, and so is, in a string, a
// quote after a backslash.
func quoted(text string) (int, error) {
	quote := text[0]
	for at := 1; at < len(text); at++ {
		switch {
		case quote == '\'' && text[at] == '\\':
			at++
		case text[at] != quote:
		case at+1 < len(text) && text[at+1] == quote:
			at++
		default:
			return at + 1, nil
		}
	}
	return 0, fmt.Errorf("the quote %c does not end", quote)
}

// dollarQuoted measures $tag$ … $tag$, or the single byte of a $ that opens no quote.
func dollarQuoted(text string) (int, error) {
	length := strings.IndexByte(text[1:], '$')
	if length < 0 || strings.ContainsFunc(text[1:1+length], func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return 1, nil
	}
	tag := text[:length+2]
	end := strings.Index(text[len(tag):], tag)
	if end < 0 {
		return 0, fmt.Errorf("the quote %s does not end", tag)
	}
	return len(tag) + end + len(tag), nil
}
