//! Error codes that stand for an HTTP status: those that providers put in a body, and those of gRPC and WebSockets.

/// The codes by the status that they stand for.
const CODES: [(u16, &[&str]); 16] = [
    (
        400,
        &[
            "invalid_request_error",
            "invalid_prompt",
            "context_length_exceeded",
            "content_filter",
            "content_policy_violation",
            "data_residency_mismatch",
            "bio_policy",
            "misalignment_policy_violation",
            "invalid_image",
            "invalid_image_format",
            "invalid_base64_image",
            "invalid_image_url",
            "image_too_large",
            "image_too_small",
            "image_parse_error",
            "image_content_policy_violation",
            "invalid_image_mode",
            "image_file_too_large",
            "unsupported_image_media_type",
            "empty_image_file",
            "failed_to_download_image",
            "image_file_not_found",
            "ValidationException",
            "INVALID_ARGUMENT",
            "FAILED_PRECONDITION",
            "OUT_OF_RANGE",
        ],
    ),
    (
        401,
        &[
            "authentication_error",
            "invalid_api_key",
            "API_KEY_INVALID",
            "UNAUTHENTICATED",
            "UnrecognizedClientException",
            "ExpiredTokenException",
        ],
    ),
    (
        402,
        &[
            "billing_error",
            "insufficient_quota",
            "billing_hard_limit_reached",
            "billing_not_active",
            "enforced_spend_limit_reached",
            "contract_spend_limit_reached",
            "linked_organization_spend_limit_reached",
            "ServiceQuotaExceededException",
        ],
    ),
    (403, &["permission_error", "PERMISSION_DENIED", "AccessDeniedException"]),
    (404, &["model_not_found", "not_found_error", "NOT_FOUND", "ResourceNotFoundException"]),
    (408, &["ModelTimeoutException", "RequestTimeout", "RequestTimeoutException"]),
    (409, &["conflict_error", "ABORTED", "ALREADY_EXISTS"]),
    (413, &["request_too_large"]),
    (424, &["ModelErrorException", "ModelStreamErrorException"]),
    (
        429,
        &[
            "rate_limit_error",
            "rate_limit_exceeded",
            "RESOURCE_EXHAUSTED",
            "ModelNotReadyException",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "LimitExceededException",
            "BandwidthLimitExceeded",
            "ProvisionedThroughputExceededException",
            "SlowDown",
        ],
    ),
    (499, &["CANCELLED"]),
    (500, &["api_error", "server_error", "INTERNAL", "UNKNOWN", "DATA_LOSS", "InternalServerException"]),
    (501, &["UNIMPLEMENTED"]),
    (503, &["UNAVAILABLE", "ServiceUnavailable", "ServiceUnavailableException"]),
    (504, &["DEADLINE_EXCEEDED", "timeout_error", "vector_store_timeout"]),
    (529, &["overloaded_error"]),
];

/// The HTTP status that a provider's error code stands for; `None` if it is not known. Upper and lower case are the same.
pub fn status_of_code(code: &str) -> Option<u16> {
    let contains = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    CODES.iter().find(|(_, codes)| contains(codes)).map(|(status, _)| *status)
}

/// The HTTP status that a close code of a WebSocket stands for, if the provider closed the connection with it.
///
/// `None` for an ordinary end (1000, 1001) and for a code of which only the provider knows the meaning.
pub const fn status_of_close_code(code: u16) -> Option<u16> {
    match code {
        // It objects to what was sent.
        1002 | 1003 | 1007..=1010 => Some(400),
        1006 | 1011 => Some(500),
        1012 | 1013 => Some(503),
        1014 => Some(502),
        3000 => Some(401),
        3003 => Some(403),
        3008 => Some(408),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_codes_stand_for_these_statuses() {
        for (codes, status) in [
            (&[1002, 1003, 1007, 1008, 1009, 1010][..], Some(400)),
            (&[1006, 1011], Some(500)),
            (&[1012, 1013], Some(503)),
            (&[1014], Some(502)),
            (&[3000], Some(401)),
            (&[3003], Some(403)),
            (&[3008], Some(408)),
            (&[0, 1000, 1001, 1004, 1005, 1015, 3001, 4000, u16::MAX], None),
        ] {
            for code in codes {
                assert_eq!(status_of_close_code(*code), status, "{code}");
            }
        }
    }
}
