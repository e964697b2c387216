package test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/visual"
)

func TestJobsHaveTheNamesThatDAGsMayHold(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, job := range some(t, form, "AWS::Glue::Job") {
			arguments := job.Properties["DefaultArguments"].(map[string]any)
			for _, name := range visual.Names {
				assert.Contains(t, arguments, "--"+name)
			}
		}
	})
}
