// Argocd is the parts of Argo CD that render an Application, as one program: its repo-server, its config management plugin server, a Redis
// for the repo-server's cache, and clients that ask the repo-server for manifests, and Redis for all that it holds. The servers are Argo
// CD's own code; Redis, which is in memory, and the clients are a few lines here. It knows nothing of ageseal.
//
// It is a module of its own, so that the hundreds of modules of Argo CD are not ageseal's.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	cmpserver "github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "argocd", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(reposerver.NewCommand(), cmpserver.NewCommand(), redisCommand(), cacheCommand(), manifestsCommand())
	// A link to it is the command of its name, as with Argo CD's own binary.
	if name := filepath.Base(os.Args[0]); name != root.Use {
		root.SetArgs(append([]string{name}, os.Args[1:]...))
	}
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// untilTold waits for the signal that ends a server.
func untilTold() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	<-told
}
