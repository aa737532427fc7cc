"""Sends one GET request with a trace context; an answer of any status will do.

usage: get.py URL TRACE_ID
"""

import sys
import urllib.error
import urllib.request

url, trace_id = sys.argv[1:]
request = urllib.request.Request(url, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "User-Agent": "shop/1"})
try:
    urllib.request.urlopen(request, timeout=5).read()
except urllib.error.HTTPError as error:
    error.read()
