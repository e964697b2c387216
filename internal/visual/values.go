package visual

import (
	"fmt"
	"strings"
)

// CheckValues refuses values of placeholders of which one contains another: in a DAG that was edited on
// the canvas, nobody could tell which of them a text is made from.
func CheckValues(values map[string]string) error {
	for _, name := range sortedKeys(values) {
		for _, other := range sortedKeys(values) {
			if name != other && strings.Contains(values[other], values[name]) {
				return fmt.Errorf("the value of ${%s}, %q, contains that of ${%s}, %q: a DAG that uses both could not be taken home from the canvas", other, values[other], name, values[name])
			}
		}
	}
	return nil
}
