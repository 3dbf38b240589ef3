package messages

import (
	"fmt"
	"slices"
	"strings"

	"hubledger/events"
)

// Subjects are filters for all subjects that events of these types stand on.
// Other types may stand there too.
func Subjects(types ...string) ([]string, error) {
	var list []string
	for _, t := range types {
		family, _, err := events.SplitType(t)
		if err != nil {
			return nil, err
		}
		for _, aggregate := range aggregates(family) {
			list = append(list, fmt.Sprintf("%s*.%s.*", events.SubjectPrefix, aggregate))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// aggregates are the kinds of aggregates that a type's events belong to. Most
// types are named after theirs.
func aggregates(family string) []string {
	aggregate, _, _ := strings.Cut(family, ".")
	switch aggregate {
	case "image": // with a tag and without
		return []string{"tag", "image"}
	case "manifest":
		return []string{"image"}
	case "deployment": // which has its environment
		return []string{"environment"}
	}
	return []string{aggregate}
}
