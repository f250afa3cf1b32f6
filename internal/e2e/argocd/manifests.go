package main

import (
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/spf13/cobra"
)

// callSeconds is long enough for a build on a busy machine; the repo-server itself gives up after 90.
const callSeconds = 100

func manifestsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "manifests ADDRESS",
		Short: "Ask a repo-server for manifests: a ManifestRequest as JSON from stdin, the ManifestResponse as JSON to stdout",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var request apiclient.ManifestRequest
			in := json.NewDecoder(cmd.InOrStdin())
			in.DisallowUnknownFields()
			if err := in.Decode(&request); err != nil {
				return fmt.Errorf("reading the request: %w", err)
			}
			closer, client, err := apiclient.NewRepoServerClientset(args[0], callSeconds, apiclient.TLSConfiguration{DisableTLS: true}).NewRepoServerClient()
			if err != nil {
				return err
			}
			defer closer.Close()
			response, err := client.GenerateManifest(cmd.Context(), &request)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(response)
		},
	}
}
