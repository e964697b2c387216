package main

import (
	"github.com/spf13/cobra"
)

func (a *app) dqCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "dq",
		Short:   "Look at data quality",
		Example: "  pipeline dq history",
		Args:    noArguments,
		RunE:    func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(a.dqHistoryCommand())
	return command
}
