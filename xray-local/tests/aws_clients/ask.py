"""Calls one X-Ray operation with boto3 and prints the response as JSON. Times are printed as seconds since 1970. An error
response is printed as an object with the key `Error`.

ask.py URL OPERATION PARAMETERS [--pages RESULT]    with --pages, prints the list RESULT of all pages
"""

import datetime
import json
import sys

import boto3
import botocore.exceptions


def seconds(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"the response contains {value!r}, which is not JSON")


url, operation, parameters = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = boto3.client("xray", endpoint_url=url)
try:
    if "--pages" in sys.argv:
        pages = client.get_paginator(operation).paginate(**parameters)
        response = {sys.argv[5]: [item for page in pages for item in page[sys.argv[5]]]}
    else:
        response = getattr(client, operation)(**parameters)
        del response["ResponseMetadata"]
except botocore.exceptions.ClientError as error:
    response = {"Error": error.response["Error"]}
json.dump(response, sys.stdout, default=seconds)
