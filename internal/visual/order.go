package visual

import (
	"slices"
	"strconv"
	"strings"
)

// natural compares texts so that numbers in them go by value: node-2 before node-10.
func natural(a, b string) int {
	for a != "" && b != "" {
		headA, restA := chunk(a)
		headB, restB := chunk(b)
		numberA, errA := strconv.ParseUint(headA, 10, 64)
		numberB, errB := strconv.ParseUint(headB, 10, 64)
		switch {
		case errA == nil && errB == nil && numberA != numberB:
			return compare(numberA, numberB)
		case headA != headB:
			return strings.Compare(headA, headB)
		}
		a, b = restA, restB
	}
	return len(a) - len(b)
}

// chunk splits off the digits, or what is none, that a text begins with.
func chunk(text string) (head, rest string) {
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' }
	digits := isDigit(rune(text[0]))
	end := strings.IndexFunc(text, func(r rune) bool { return isDigit(r) != digits })
	if end < 0 {
		return text, ""
	}
	return text[:end], text[end:]
}

func compare(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// sorted orders nodes so that each stands after its inputs; of those that could stand next, the one
// whose id comes first in natural order does. Nodes of a cycle, and those that read one, are left over.
func sorted(nodes []*Node) (ordered, left []*Node) {
	left = slices.Clone(nodes)
	slices.SortFunc(left, func(a, b *Node) int { return natural(a.ID, b.ID) })
	done := map[string]bool{}
	for {
		next := slices.IndexFunc(left, func(node *Node) bool {
			return !slices.ContainsFunc(node.Inputs, func(id string) bool { return !done[id] })
		})
		if next < 0 {
			return ordered, left
		}
		done[left[next].ID] = true
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
}
