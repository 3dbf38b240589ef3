package trackers

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// sentry: an issue alert, or an issue that was resolved, of an integration.
// https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
func sentry(header http.Header, d document) ([]Report, error) {
	switch header.Get("Sentry-Hook-Resource") {
	case "event_alert":
		r := Report{Issue: d.text("data.event.issue_id", "data.event.issue"), Title: d.text("data.event.title"),
			Release: cmp.Or(d.release(), d.text("data.event.release")), Colour: d.colour()}
		return []Report{r}, nil
	case "issue":
		r := Report{Issue: d.text("data.issue.id"), Title: d.text("data.issue.title"), Resolved: true}
		if action := d.text("action"); action != "resolved" && action != "archived" && action != "ignored" {
			return nil, nil // that it was created says no release: the alert does
		}
		return []Report{r}, nil
	case "":
		return nil, fmt.Errorf("%w: it has no header Sentry-Hook-Resource", ErrShape)
	}
	return nil, nil
}

// bugsnag: a webhook of a project.
// https://docs.bugsnag.com/product/integrations/data-forwarding/webhook/
func bugsnag(_ http.Header, d document) ([]Report, error) {
	if d.at("trigger", "type") == nil {
		return nil, fmt.Errorf("%w: it has no trigger", ErrShape)
	}
	if d.at("error") == nil {
		return nil, nil // of a project, such as a rate, or a test
	}
	r := Report{Issue: d.text("error.errorId", "error.id"), Title: d.text("error.exceptionClass"), Colour: d.colour(),
		Release: cmp.Or(d.release(), d.text("error.app.version", "error.appVersion"))}
	r.Resolved = slices.Contains([]string{"fixed", "ignored", "snoozed"}, d.text("error.status"))
	if r.Resolved {
		r.Release, r.Colour = "", "" // of whatever release it was seen in last
	}
	return []Report{r}, nil
}

// rollbar: a webhook of a project. https://docs.rollbar.com/docs/webhooks
func rollbar(_ http.Header, d document) ([]Report, error) {
	r := Report{Issue: d.text("data.item.id"), Title: d.text("data.item.title"), Colour: d.colour(),
		Release: cmp.Or(d.release(), d.text("data.item.last_occurrence.code_version", "data.occurrence.code_version", "data.item.last_occurrence.server.code_version"))}
	switch d.text("event_name") {
	case "new_item", "reactivated_item", "reopened_item", "exp_repeat_item", "item_velocity", "occurrence":
		return []Report{r}, nil
	case "resolved_item":
		return []Report{{Issue: r.Issue, Title: r.Title, Resolved: true}}, nil
	case "":
		return nil, fmt.Errorf("%w: it has no event_name", ErrShape)
	}
	return nil, nil // a deploy, or a test
}

// honeybadger: a webhook of a project. Where it has no context of the error, as some of its
// versions, the environment says the colour by its end: production-green. https://docs.honeybadger.io/guides/integrations/webhook/
func honeybadger(_ http.Header, d document) ([]Report, error) {
	environment := d.text("fault.environment")
	r := Report{Issue: d.text("fault.id"), Title: d.text("fault.klass"), Colour: cmp.Or(d.colour(), environment[strings.LastIndexByte(environment, '-')+1:]),
		Release: cmp.Or(d.release(), d.text("notice.revision", "notice.deploy.revision", "fault.deploy.revision"))}
	switch d.text("event") {
	case "occurred", "unresolved", "rate_exceeded":
		return []Report{r}, nil
	case "resolved":
		return []Report{{Issue: r.Issue, Title: r.Title, Resolved: true}}, nil
	case "":
		return nil, fmt.Errorf("%w: it has no event", ErrShape)
	}
	return nil, nil // of uptime, check-ins, deploys
}

// alertmanager: a webhook receiver of version 4; the labels of alerts say release and colour.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
func alertmanager(_ http.Header, d document) (list []Report, err error) {
	alerts, ok := d["alerts"].([]any)
	if !ok {
		return nil, fmt.Errorf("%w: it has no alerts", ErrShape)
	}
	for _, one := range alerts {
		fields, _ := one.(map[string]any)
		alert := document(fields)
		labels, _ := alert["labels"].(map[string]any)
		r := Report{Issue: alert.text("fingerprint"), Title: alert.text("labels.alertname"), Resolved: alert.text("status") == "resolved",
			Release: document(labels).tagged("hubledger_release", "release"), Colour: document(labels).tagged("hubledger_colour", "colour", "color")}
		list = append(list, r)
	}
	return list, nil
}
