// Package balancer is what hosts and HAProxy say to each other: the weights of the two
// colours, how many sessions a colour has, and the configuration that never changes.
package balancer

import "strings"

// Backend is what the backend of a web service is called. application is NAMESPACE/NAME.
func Backend(application, environment, service string) string {
	return prefix(application, environment) + service
}

// prefix is how the backends of an environment begin.
func prefix(application, environment string) string {
	return strings.ReplaceAll(application, "/", ":") + ":" + environment + ":"
}

// Server is what a colour of a host is called in a backend.
func Server(host, colour string) string { return host + "-" + colour }

// Subject is what HAProxy asks the weight of: NAMESPACE/NAME/ENVIRONMENT/COLOUR.
func Subject(application, environment, colour string) string {
	return application + "/" + environment + "/" + colour
}
