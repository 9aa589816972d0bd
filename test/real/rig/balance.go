package main

import (
	"io"
	"log"
	"net"
	"sync/atomic"
)

// Balance stands in for a Service: each connection to `address` goes to the next backend that takes it.
func Balance(address string, backends []string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	var next atomic.Uint32
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go pass(client, backends, int(next.Add(1)))
	}
}

func pass(client net.Conn, backends []string, first int) {
	defer client.Close()
	for i := range backends {
		server, err := net.Dial("tcp", backends[(first+i)%len(backends)])
		if err != nil {
			continue
		}
		defer server.Close()
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(client, server)
		return
	}
	log.Printf("no backend of %v takes a connection", backends)
}
