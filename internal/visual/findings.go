package visual

import (
	"fmt"
	"strings"
)

// Findings are the things that are wrong with a DAG, a line each: file, node, field and what to do.
type Findings []string

// Error gives all lines.
func (f Findings) Error() string { return strings.Join(f, "\n") }

func (f *Findings) add(place, format string, arguments ...any) {
	*f = append(*f, place+fmt.Errorf(format, arguments...).Error())
}

// err is nil if nothing was found.
func (f Findings) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// place says where something is: file, node and field.
func (d *DAG) place(id, path string) string {
	if node := d.node(id); node != nil {
		return d.nodePlace(node, path)
	}
	return fmt.Sprintf("%s: node %s: ", d.File, id)
}

func (d *DAG) nodePlace(node *Node, path string) string {
	place := fmt.Sprintf("%s: node %s", d.File, node.ID)
	if node.Name != "" {
		place += fmt.Sprintf(" %q", node.Name)
	}
	if path != "" {
		place += ": " + strings.TrimPrefix(path, node.Type+".")
	}
	return place + ": "
}
