// Package disk is what the log needs of the file system below a data
// directory: an exclusive lock on it, files that are replaced durably, and
// how much space is free.
package disk
