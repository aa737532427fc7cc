-- title: SDKs
-- description: Which language and version of the SDK each service sends with.
SELECT
    service,
    telemetry_sdk_language AS language,
    telemetry_sdk_name AS sdk,
    telemetry_sdk_version AS version,
    telemetry_distro_name AS distribution,
    telemetry_distro_version AS distribution_version,
    count(*) AS spans
FROM spans
GROUP BY ALL
ORDER BY service, language, sdk, version, distribution, distribution_version
