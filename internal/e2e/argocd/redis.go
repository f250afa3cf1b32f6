package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"
)

func redisCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "redis ADDRESS",
		Short: "Serve Redis from memory; its address to stdout",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			server := miniredis.NewMiniRedis()
			if err := server.StartAddr(args[0]); err != nil {
				return err
			}
			defer server.Close()
			fmt.Fprintln(cmd.OutOrStdout(), server.Addr())
			untilTold()
			return nil
		},
	}
}

// cacheCommand is what anybody can do who reaches Redis: it knows no more of the repo-server than that it compresses.
func cacheCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cache ADDRESS",
		Short: "Write every key of a Redis and its value, uncompressed",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client := redis.NewClient(&redis.Options{Addr: args[0]})
			defer client.Close()
			keys, err := client.Keys(cmd.Context(), "*").Result()
			if err != nil {
				return err
			}
			for _, key := range keys {
				value, err := client.Get(cmd.Context(), key).Bytes()
				if err != nil {
					return err
				}
				if value, err = uncompressed(value); err != nil {
					return fmt.Errorf("%s: %w", key, err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n%s\n", key, value)
			}
			return nil
		},
	}
}

// uncompressed is a value as it is, if it is not gzip.
func uncompressed(value []byte) ([]byte, error) {
	if !bytes.HasPrefix(value, []byte{0x1f, 0x8b}) {
		return value, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(value))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
