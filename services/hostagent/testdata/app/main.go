// App is what the tests of hosts run in containers. It does what its variables say.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	fmt.Println("begins with", os.Getenv("PASSWORD"))
	if len(os.Args) > 1 && os.Args[1] == "check" {
		fmt.Println("is not well")
		os.Exit(1)
	}
	switch os.Getenv("MODE") {
	case "crash":
		fmt.Println("cannot go on with", os.Getenv("PASSWORD"))
		os.Exit(3)
	case "worker":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGUSR1)
		fmt.Println("ends by", <-stop)
		return
	}
	began := time.Now()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %s", os.Getenv("HUBLEDGER_COLOUR"), os.Getenv("HUBLEDGER_RELEASE"), os.Getenv("HUBLEDGER_ENVIRONMENT"), r.Host)
	})
	http.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusMovedPermanently) })
	http.HandleFunc("/by-host", func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "shop.example.com" {
			http.NotFound(w, r)
		}
	})
	http.HandleFunc("/ask/", func(w http.ResponseWriter, r *http.Request) {
		resp, err := http.Get("http://" + strings.TrimPrefix(r.URL.Path, "/ask/") + ":8080/")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		fmt.Fprintf(w, "%s", resp.Status)
	})
	http.HandleFunc("/since", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, began.UnixNano()) })
	http.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	})
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
