package datasets

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLoadReadsTheProjectsList(t *testing.T) {
	list, err := Load(filepath.Join("..", "..", "datasets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 || len(Waves(list)) == 0 {
		t.Fatalf("list %v, waves %v", list, Waves(list))
	}
}

func TestLoadNamesTheFileItCannotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "datasets.json")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v does not name %s", err, path)
	}
}

func TestParseRefuses(t *testing.T) {
	cases := map[string]struct{ content, want string }{
		"unknown field":       {`[{"name":"a","format":"csv","tables":["a"],"table":1}]`, `unknown field "table"`},
		"wrong type":          {`[{"name":"a","format":"csv","tables":"a"}]`, "cannot unmarshal"},
		"text after list":     {`[{"name":"a","format":"csv","tables":["a"]}] []`, "text after"},
		"no dataset":          {`[]`, "no dataset"},
		"upper case name":     {`[{"name":"Films","format":"csv","tables":["a"]}]`, `"Films"`},
		"quote in name":       {`[{"name":"a'b","format":"csv","tables":["a"]}]`, `"a'b"`},
		"unknown format":      {`[{"name":"a","format":"xml","tables":["a"]}]`, `"xml"`},
		"no tables":           {`[{"name":"a","format":"csv","tables":[]}]`, "no tables"},
		"bad table":           {`[{"name":"a","format":"csv","tables":["a-b"]}]`, `"a-b"`},
		"dataset twice":       {`[{"name":"a","format":"csv","tables":["a"]},{"name":"a","format":"csv","tables":["b"]}]`, "twice"},
		"table twice":         {`[{"name":"a","format":"csv","tables":["x"]},{"name":"b","format":"csv","tables":["x"]}]`, `"x" belongs to dataset "a" and to "b"`},
		"unknown reference":   {`[{"name":"a","format":"csv","tables":["a"],"refers_to":["z"]}]`, `refers to "z"`},
		"reference to itself": {`[{"name":"a","format":"csv","tables":["a"],"refers_to":["a"]}]`, "circle: a"},
		"circle": {`[{"name":"a","format":"csv","tables":["a"],"refers_to":["b"]},{"name":"b","format":"csv","tables":["b"],"refers_to":["a"]},
			{"name":"c","format":"csv","tables":["c"]}]`, "circle: a, b"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestWavesPutReferencesFirst(t *testing.T) {
	list := []Dataset{
		{Name: "tags", RefersTo: []string{"ratings", "movies"}},
		{Name: "ratings", RefersTo: []string{"movies"}},
		{Name: "movies"},
		{Name: "people"},
	}
	want := [][]string{{"movies", "people"}, {"ratings"}, {"tags"}}
	if got := Waves(list); !reflect.DeepEqual(got, want) {
		t.Fatalf("waves %v, want %v", got, want)
	}
}

func TestReferring(t *testing.T) {
	list := []Dataset{{Name: "a"}, {Name: "b", RefersTo: []string{"a"}}, {Name: "c", RefersTo: []string{"b"}}, {Name: "d"}}
	for name, want := range map[string]string{"a": "b c", "b": "c", "c": "", "d": ""} {
		if got := strings.Join(Referring(list, name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
