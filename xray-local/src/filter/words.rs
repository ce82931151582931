//! The words of the grammar, for completion.

/// The words of filter expressions, and what they mean.
pub(crate) const WORDS: &[(&str, &str)] = &[
    ("responsetime", "seconds until the response"),
    ("duration", "seconds, with work after the response"),
    ("fault", "the service failed (5xx)"),
    ("error", "the caller made an error (4xx)"),
    ("throttle", "the request was throttled (429)"),
    ("ok", "the request succeeded"),
    ("partial", "in progress"),
    ("http.status", "the status code"),
    ("http.url", "the URL"),
    ("http.method", "the method"),
    ("http.useragent", "the client's program"),
    ("http.clientip", "the client's IP address"),
    ("service(", "a service that takes part"),
    ("edge(", "a call from one service to another"),
    ("annotation.", "an annotation"),
    ("user", "the user"),
    ("name", "the name of a service"),
    ("type", "the type of a service, such as AWS::ECS::Container"),
    ("message", "the message of an exception"),
    ("inferred", "a service that sent no segment"),
    ("remote", "a service outside AWS"),
    ("root", "the first segment; in braces"),
    ("first", "the first of several; in braces"),
    ("last", "the last of several; in braces"),
    ("index", "the position among several, from 0; in braces"),
    ("coverage", "the share of the trace's time, from 0 to 1; in braces"),
    ("availabilityzone", "the availability zone"),
    ("instance.id", "the EC2 instance"),
    ("resource.arn", "the ARN of the AWS resource"),
    ("rootcause.fault.service", "a service on the path of a fault"),
    ("rootcause.fault.entity", "a segment or subsegment on the path of a fault"),
    ("rootcause.fault.exception", "an exception on the path of a fault"),
    ("rootcause.error.service", "a service on the path of an error"),
    ("rootcause.error.entity", "a segment or subsegment on the path of an error"),
    ("rootcause.error.exception", "an exception on the path of an error"),
    ("rootcause.responsetime.service", "a service on the slowest path"),
    ("rootcause.responsetime.entity", "a segment or subsegment on the slowest path"),
    ("group.name", "a group of the account"),
    ("AND", "both conditions"),
    ("OR", "at least one of the conditions"),
    ("NOT", "not the condition"),
    ("CONTAINS", "contains the text"),
    ("BEGINSWITH", "begins with the text"),
    ("ENDSWITH", "ends with the text"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::filter::expression::KEYWORDS;

    #[test]
    fn each_keyword_can_be_completed_and_each_word_is_valid() {
        for (keyword, _) in KEYWORDS {
            assert!(WORDS.iter().any(|(word, _)| word == keyword), "{keyword}");
        }
        for (word, _) in WORDS {
            let expression = match *word {
                "service(" => "service()".to_owned(),
                "edge(" => "edge()".to_owned(),
                "annotation." => "annotation.a".to_owned(),
                "AND" | "OR" => format!("ok {word} fault"),
                "NOT" => "NOT ok".to_owned(),
                "CONTAINS" | "BEGINSWITH" | "ENDSWITH" => format!("name {word} \"a\""),
                "group.name" => "group.name != \"a\"".to_owned(),
                word => word.to_owned(),
            };
            let result = Filter::parse(&expression);
            // No group is known here, which the error says.
            assert!(result.is_ok() || *word == "group.name", "{expression}: {result:?}");
        }
    }
}
