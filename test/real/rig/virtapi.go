package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// VirtAPI serves freeze and unfreeze as an aggregated API. The API server has authorized the caller already; that it is
// the API server is proven by its front-proxy certificate, without which the user headers would be anyone's claim.
type VirtAPI struct {
	guest func(ns, name string) *Guest // nil: there is no such VMI
}

const groupVersionPath = "/apis/subresources.kubevirt.io/v1"

// ServeTLS listens until the process ends.
func (v *VirtAPI) ServeTLS(address, certificate, key, frontProxyCA string) error {
	pem, err := os.ReadFile(frontProxyCA)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return errors.New(frontProxyCA + ": no certificate in it")
	}
	server := &http.Server{Addr: address, Handler: v, ReadHeaderTimeout: 5 * time.Second,
		TLSConfig: &tls.Config{ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}}
	return server.ListenAndServeTLS(certificate, key)
}

func (v *VirtAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != "front-proxy" {
		refuse(w, 401, "client certificate of "+name+", not of the front proxy")
		return
	}
	if r.URL.Path == groupVersionPath {
		answer(w, 200, Object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "subresources.kubevirt.io/v1",
			"resources": []Object{resource("freeze"), resource("unfreeze")}})
		return
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, groupVersionPath+"/"), "/")
	if len(parts) != 5 || parts[0] != "namespaces" || parts[2] != "virtualmachineinstances" || r.Method != http.MethodPut {
		refuse(w, 404, "the server could not find the requested resource")
		return
	}
	guest := v.guest(parts[1], parts[3])
	if guest == nil {
		refuse(w, 404, "virtualmachineinstance.kubevirt.io \""+parts[3]+"\" not found")
		return
	}
	if err := call(guest, parts[4], r.Body, caller(r.Header)); err != nil {
		var reply *callError
		if !errors.As(err, &reply) {
			reply = &callError{500, err.Error()}
		}
		refuse(w, reply.status, reply.message)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// caller is the pod that a token is bound to, so that replicas of one service account can be told apart, or the user.
func caller(header http.Header) string {
	if pod := header.Get("X-Remote-Extra-Authentication.kubernetes.io%2fpod-Name"); pod != "" {
		return pod
	}
	return header.Get("X-Remote-User")
}

func call(guest *Guest, operation string, body io.Reader, user string) error {
	switch operation {
	case "unfreeze":
		return guest.Unfreeze(user)
	case "freeze":
		var options struct{ UnfreezeTimeout string }
		if json.NewDecoder(body).Decode(&options) != nil || options.UnfreezeTimeout == "" {
			return &callError{400, "unfreezeTimeout is missing"}
		}
		timeout, err := time.ParseDuration(options.UnfreezeTimeout)
		if err != nil {
			return &callError{400, err.Error()}
		}
		return guest.Freeze(timeout, user)
	}
	return &callError{404, "the server could not find the requested resource"}
}

func resource(name string) Object {
	return Object{"name": "virtualmachineinstances/" + name, "singularName": "", "namespaced": true,
		"kind": "VirtualMachineInstance", "verbs": []string{"update"}}
}

func refuse(w http.ResponseWriter, code int, message string) {
	reasons := map[int]string{400: "BadRequest", 401: "Unauthorized", 404: "NotFound", 409: "Conflict"}
	reason := reasons[code]
	if !slices.Contains([]int{400, 401, 404, 409}, code) {
		reason = "InternalError"
	}
	answer(w, code, Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
		"reason": reason, "code": code})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
