"""Asks an endpoint one operation by boto3, and prints the answer as JSON: times as seconds since 1970, an error as `Error`.

ask.py URL OPERATION PARAMETERS [--pages RESULT]    with --pages, the list RESULT of all pages
"""

import datetime
import json
import sys

import boto3
import botocore.exceptions


def seconds(value):
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} in an answer")


url, operation, parameters = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client = boto3.client("xray", endpoint_url=url)
try:
    if "--pages" in sys.argv:
        pages = client.get_paginator(operation).paginate(**parameters)
        answer = {sys.argv[5]: [item for page in pages for item in page[sys.argv[5]]]}
    else:
        answer = getattr(client, operation)(**parameters)
        del answer["ResponseMetadata"]
except botocore.exceptions.ClientError as error:
    answer = {"Error": error.response["Error"]}
json.dump(answer, sys.stdout, default=seconds)
