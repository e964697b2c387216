package visual

import (
	"fmt"
	"strings"
)

// Draw gives the DAG as a Mermaid flowchart: sources as cylinders, transforms as boxes, targets as
// slanted boxes, each with its name and kind.
func Draw(d *DAG) string {
	var out strings.Builder
	out.WriteString("flowchart LR\n")
	for _, node := range d.Nodes {
		open, end := "[", "]"
		switch node.kind.role {
		case source:
			open, end = "[(", ")]"
		case target:
			open, end = "[/", "/]"
		}
		fmt.Fprintf(&out, "  %s%s\"%s<br/><small>%s</small>\"%s\n", mermaidID(node), open, mermaid(node.Name), mermaid(node.kind.label), end)
	}
	for _, node := range d.Nodes {
		for _, id := range node.Inputs {
			fmt.Fprintf(&out, "  %s --> %s\n", mermaidID(d.node(id)), mermaidID(node))
		}
	}
	return out.String()
}

// mermaidID names a node: a lone `end` would end the picture.
func mermaidID(node *Node) string {
	if id := node.suffix(); id != "end" {
		return id
	}
	return "end_"
}

// mermaid escapes what ends a text in quotes, and what HTML takes for a tag.
func mermaid(text string) string {
	return strings.NewReplacer("&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "#", "#35;").Replace(text)
}
