"""Runs the official Python clients for the black-box tests.

Reads one JSON request a line and writes one JSON answer a line: {"reply": ...}, or {"error": {"code", "message"}}
when the client raised. The clients are imported once for many calls, and are used as their documentation shows.
"""

import hashlib
import http.client
import importlib
import json
import sys
import time

from cmq.account import Account
from cmq.queue import Message as QueueMessage, QueueMeta
from cmq.subscription import SubscriptionMeta
from cmq.topic import Message as TopicMessage, TopicMeta
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.sign import Sign

SERVICES = {
    "batch": ("20170312", "BatchClient"),
    "tdmq": ("20200217", "TdmqClient"),
    "cmq": ("20190304", "CmqClient"),
}
REGION = "ap-guangzhou"
KEPT = {}


def kept(key, make):
    """The client made for this key before, or a new one: after a turn to another server the old connections are gone."""
    if key not in KEPT:
        KEPT[key] = make()
    return KEPT[key]


def api(ask):
    """One action of API 3.0, by the generated client: with its typed models, or with the parameters as they are."""
    module = "tencentcloud.{}.v{}.".format(ask["service"], SERVICES[ask["service"]][0])
    settings = (ask["service"], ask["endpoint"], ask["id"], ask["key"], ask["sign"], ask["method"])
    client = kept((ask["turn"], settings), lambda: api_client(module, *settings))
    if not ask["typed"]:
        return client.call_json(ask["action"], ask["params"])["Response"]
    model = getattr(importlib.import_module(module + "models"), ask["action"] + "Request")()
    model.from_json_string(json.dumps(ask["params"]))
    return json.loads(getattr(client, ask["action"])(model).to_json_string())


def api_client(module, service, endpoint, secret_id, secret_key, sign, method):
    """A client of one service for plain HTTP."""
    made = getattr(importlib.import_module(module + service + "_client"), SERVICES[service][1])
    http_profile = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method)
    return made(Credential(secret_id, secret_key), REGION, ClientProfile(signMethod=sign, httpProfile=http_profile))


def raw(ask):
    """One POST to API 3.0, its body sent and signed as it is, its clock set off by some seconds."""
    body = ask["body"].encode("utf-8") + b" " * ask["padding"]
    now = int(time.time()) + ask["clock"]
    date = time.strftime("%Y-%m-%d", time.gmtime(now))
    scope = "{}/{}/tc3_request".format(date, ask["service"])
    digest = hashlib.sha256(body).hexdigest()
    lines = ["POST", "/", "", "content-type:application/json", "host:" + ask["endpoint"], "", "content-type;host", digest]
    hashed = hashlib.sha256("\n".join(lines).encode("utf-8")).hexdigest()
    signed = "\n".join(["TC3-HMAC-SHA256", str(now), scope, hashed])
    signature = Sign.sign_tc3(ask["key"], date, ask["service"], signed)
    credential = "TC3-HMAC-SHA256 Credential={}/{}, ".format(ask["id"], scope)
    headers = {
        "Authorization": credential + "SignedHeaders=content-type;host, Signature=" + signature,
        "Content-Type": "application/json",
        "X-TC-Action": ask["action"],
        "X-TC-Version": ask["version"],
        "X-TC-Timestamp": str(now),
        "X-TC-Region": REGION,
    }
    connection = http.client.HTTPConnection(ask["endpoint"], timeout=60)
    connection.request("POST", "/", body, headers)
    reply = connection.getresponse()
    text = reply.read().decode("utf-8")
    connection.close()
    return {"status": reply.status, "type": reply.getheader("Content-Type"), "body": json.loads(text)}


def cmq(ask):
    """One call of the CMQ client."""
    settings = (ask["endpoint"], ask["id"], ask["key"], ask["sign"], ask["method"])
    account = kept((ask["turn"], settings), lambda: cmq_account(*settings))
    return CALLS[ask["call"]](account, **ask["arguments"])


def cmq_account(endpoint, secret_id, secret_key, sign, method):
    """An account whose requests are signed and sent as told."""
    account = Account("http://" + endpoint, secret_id, secret_key)
    account.set_sign(sign)
    account.cmq_client.set_method(method)
    return account


def create_queue(account, queue, **attributes):
    meta = QueueMeta()
    vars(meta).update(attributes)
    account.get_queue(queue).create(meta)


def send(account, queue, text, delay=0):
    return account.get_queue(queue).send_message(QueueMessage(text), delay).msgId


def receive(account, queue, wait):
    return vars(account.get_queue(queue).receive_message(wait))


def batch_receive(account, queue, number, wait):
    return [vars(message) for message in account.get_queue(queue).batch_receive_message(number, wait)]


def create_topic(account, topic, filter_type=1):
    meta = TopicMeta()
    meta.filterType = filter_type
    account.get_topic(topic).create(meta)


def publish(account, topic, text, tags=(), key=""):
    return account.get_topic(topic).publish_message(TopicMessage(text, list(tags)), key).msgId


def subscribe(account, topic, name, protocol, endpoint, form="SIMPLIFIED", tags=(), keys=()):
    meta = SubscriptionMeta()
    meta.Protocal, meta.Endpoint, meta.NotifyContentFormat = protocol, endpoint, form
    meta.FilterTag, meta.bindingKey = list(tags), list(keys)
    account.get_subscription(topic, name).create(meta)


def queue_attributes(account, queue):
    meta = vars(account.get_queue(queue).get_attributes())
    return {name: value for name, value in meta.items() if isinstance(value, (int, str))}


def set_queue(account, queue, **attributes):
    meta = account.get_queue(queue).get_attributes()
    vars(meta).update(attributes)
    account.get_queue(queue).set_attributes(meta)


def batch_send(account, queue, texts, delay=0):
    sent = account.get_queue(queue).batch_send_message([QueueMessage(text) for text in texts], delay)
    return [message.msgId for message in sent]


def set_topic(account, topic, size):
    meta = account.get_topic(topic).get_attributes()
    meta.maxMsgSize = size
    account.get_topic(topic).set_attributes(meta)


def batch_publish(account, topic, texts, tags=(), key=""):
    messages = [TopicMessage(text) for text in texts]
    return [message.msgId for message in account.get_topic(topic).batch_publish_message(messages, list(tags), key)]


def set_subscription(account, topic, name, strategy, tags):
    meta = SubscriptionMeta()
    meta.NotifyStrategy, meta.NotifyContentFormat, meta.FilterTag = strategy, "SIMPLIFIED", list(tags)
    account.get_subscription(topic, name).set_attributes(meta)


CALLS = {
    "queue_attributes": queue_attributes,
    "set_queue": set_queue,
    "rewind": lambda account, queue, to: account.get_queue(queue).rewindQueue(to),
    "batch_send": batch_send,
    "list_queue": lambda account, word: account.list_queue(word, 10, 0),
    "topic_attributes": lambda account, topic: vars(account.get_topic(topic).get_attributes()),
    "set_topic": set_topic,
    "list_topic": lambda account, word: account.list_topic(word, 10, 0),
    "batch_publish": batch_publish,
    "list_subscription": lambda account, topic, word: account.get_topic(topic).list_subscription(word, 10, 0),
    "subscription_attributes": lambda account, topic, name: vars(account.get_subscription(topic, name).get_attributes()),
    "set_subscription": set_subscription,
    "clear_tags": lambda account, topic, name: account.get_subscription(topic, name).clearFilterTags(),
    "create_queue": create_queue,
    "delete_queue": lambda account, queue: account.get_queue(queue).delete(),
    "send": send,
    "receive": receive,
    "batch_receive": batch_receive,
    "delete": lambda account, queue, handle: account.get_queue(queue).delete_message(handle),
    "batch_delete": lambda account, queue, handles: account.get_queue(queue).batch_delete_message(handles),
    "create_topic": create_topic,
    "delete_topic": lambda account, topic: account.get_topic(topic).delete(),
    "publish": publish,
    "subscribe": subscribe,
    "unsubscribe": lambda account, topic, name: account.get_subscription(topic, name).delete(),
}


def answer(ask):
    """Calls what the request names; what a client raises becomes an answer too."""
    try:
        return {"reply": {"api": api, "raw": raw, "cmq": cmq}[ask["kind"]](ask)}
    except TencentCloudSDKException as error:
        return {"error": {"code": str(error.get_code()), "message": str(error.get_message())}}
    except Exception as error:  # The CMQ client raises classes of its own, and KeyError for a missing field.
        code = getattr(error, "code", type(error).__name__)
        return {"error": {"code": str(code), "message": str(getattr(error, "message", error))}}


def main():
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


main()
