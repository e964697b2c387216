package warehouse

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	cases := map[string]struct {
		text string
		want []string
	}{
		"two statements":             {"select 1; select 2;", []string{"select 1", "select 2"}},
		"empty statements":           {";; ;\n-- only this\n;", nil},
		"semicolon in a string":      {"select 'a;b'; select 2", []string{"select 'a;b'", "select 2"}},
		"doubled quote":              {"select 'it''s; here'", []string{"select 'it''s; here'"}},
		"backslash before a quote":   {`select 'it\'s; here'; select 2`, []string{`select 'it\'s; here'`, "select 2"}},
		"quoted name":                {`select "a;--b"`, []string{`select "a;--b"`}},
		"backslash in a quoted name": {`select "a\"; select 2`, []string{`select "a\"`, "select 2"}},
		"dollar quote":               {"create x as $$ a; b $$; select 2", []string{"create x as $$ a; b $$", "select 2"}},
		"dollar quote with a tag":    {"x $tag$ ; $$ ; $tag$; y", []string{"x $tag$ ; $$ ; $tag$", "y"}},
		"dollar that opens nothing":  {"select $1; select $2", []string{"select $1", "select $2"}},
		"comment with a quote":       {"select 1 -- it's; here\nfrom t", []string{"select 1\nfrom t"}},
		"comment sign in a string":   {"select '--', '/*'", []string{"select '--', '/*'"}},
		"comment lines":              {"-- a\n-- b\nselect 1,\n    -- c\n    2", []string{"select 1,\n    2"}},
		"comments in comments":       {"select /* a /* ; */ b */ 1", []string{"select  1"}},
		"space in a string":          {"select 'a  \n\n b'", []string{"select 'a  \n\n b'"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := split(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSplitRefusesWhatDoesNotEnd(t *testing.T) {
	for _, text := range []string{"select 'a", `select "a`, "/* a /* b */", "x $$ a $", "x $a$ b $b$", `'a\'`} {
		if got, err := split(text); err == nil {
			t.Errorf("%q gives %q, want an error", text, got)
		}
	}
}
