package query

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata/types"
	"github.com/stretchr/testify/assert"
)

func TestValuesKeepTheirTypes(t *testing.T) {
	cases := map[string]struct {
		field types.Field
		kind  string
		want  any
	}{
		"null":            {&types.FieldMemberIsNull{Value: true}, "int8", nil},
		"integer":         {&types.FieldMemberLongValue{Value: 1 << 60}, "int8", int64(1 << 60)},
		"float":           {&types.FieldMemberDoubleValue{Value: 0.5}, "float8", 0.5},
		"boolean":         {&types.FieldMemberBooleanValue{Value: false}, "bool", false},
		"decimal":         {&types.FieldMemberStringValue{Value: "12.50"}, "numeric", json.Number("12.50")},
		"no decimal":      {&types.FieldMemberStringValue{Value: "NaN"}, "numeric", "NaN"},
		"digits in text":  {&types.FieldMemberStringValue{Value: "007"}, "varchar", "007"},
		"bytes":           {&types.FieldMemberBlobValue{Value: []byte{0xca, 0xfe}}, "varbyte", "cafe"},
		"date":            {&types.FieldMemberStringValue{Value: "2026-01-31"}, "date", "2026-01-31"},
		"empty, not null": {&types.FieldMemberStringValue{Value: ""}, "varchar", ""},
	}
	for name, c := range cases {
		assert.Equal(t, c.want, valueOf(c.field, c.kind), name)
	}
}

func TestColumnsOfOneNameAreToldApart(t *testing.T) {
	columns := columnsOf([]types.ColumnMetadata{
		{Name: aws.String("id"), TypeName: aws.String("int8")},
		{Name: aws.String("x"), Label: aws.String("id")},
		{Name: aws.String("id_2")},
		{Name: aws.String("id")},
	})
	var names []string
	for _, column := range columns {
		names = append(names, column.Name)
	}
	assert.Equal(t, []string{"id", "id_2", "id_2_2", "id_3"}, names)
}
