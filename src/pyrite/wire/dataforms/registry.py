"""What the registrar knows of forms: which fields they have, and of what type (XEP-0068 §5)."""

from __future__ import annotations

import re

from .making import Value
from .payloads import FORM_TYPE, Field, Form
from .reading import typed

#: FORM_TYPE -> type of a field -> the names of those that have it.
_REGISTERED: dict[str, dict[str, str]] = {
    "http://jabber.org/network/serverinfo": {
        "list-multi": (
            "abuse-addresses admin-addresses feedback-addresses sales-addresses "
            "security-addresses status-addresses support-addresses"
        ),
        "text-single": "serverinfo-pubsub-node",
    },
    "http://jabber.org/protocol/admin": {
        "jid-multi": (
            "accountjids activeuserjids adminjids blacklistjids disableduserjids "
            "onlineuserjids registereduserjids whitelistjids"
        ),
        "jid-single": "accountjid",
        "list-multi": "delay ipaddresses",
        "list-single": "max_items",
        "text-multi": "announcement motd welcome",
        "text-private": "password password-verify",
        "text-single": (
            "activeusersnum disabledusersnum email given_name idleusersnum lastlogin "
            "loginsperminute onlineresources onlineusersnum registeredusersnum "
            "rostersize stanzaspersecond surname"
        ),
    },
    "http://jabber.org/protocol/muc#register": {
        "boolean": "muc#register_allow",
        "text-multi": "muc#register_faqentry",
        "text-single": (
            "muc#register_email muc#register_first muc#register_last "
            "muc#register_roomnick muc#register_url"
        ),
    },
    "http://jabber.org/protocol/muc#request": {
        "boolean": "muc#request_allow",
        "jid-single": "muc#jid",
        "list-single": "muc#role",
        "text-single": "muc#roomnick",
    },
    "http://jabber.org/protocol/muc#roomconfig": {
        "boolean": (
            "muc#roomconfig_allowinvites muc#roomconfig_changesubject "
            "muc#roomconfig_enablelogging muc#roomconfig_membersonly "
            "muc#roomconfig_moderatedroom muc#roomconfig_passwordprotectedroom "
            "muc#roomconfig_persistentroom muc#roomconfig_publicroom"
        ),
        "jid-multi": "muc#roomconfig_roomadmins muc#roomconfig_roomowners",
        "list-multi": "muc#roomconfig_getmemberlist muc#roomconfig_presencebroadcast",
        "list-single": "muc#roomconfig_allowpm muc#roomconfig_maxusers muc#roomconfig_whois",
        "text-private": "muc#roomconfig_roomsecret",
        "text-single": (
            "muc#maxhistoryfetch muc#roomconfig_lang muc#roomconfig_pubsub "
            "muc#roomconfig_roomdesc muc#roomconfig_roomname "
            "muc#roomconfig_slow_mode_duration"
        ),
    },
    "http://jabber.org/protocol/muc#roominfo": {
        "boolean": "muc#roominfo_subjectmod",
        "jid-multi": "muc#roominfo_contactjid",
        "text-multi": "muc#roominfo_avatarhash",
        "text-single": (
            "muc#maxhistoryfetch muc#roominfo_description muc#roominfo_lang "
            "muc#roominfo_ldapgroup muc#roominfo_logs muc#roominfo_occupants "
            "muc#roominfo_slow_mode_duration muc#roominfo_subject"
        ),
    },
    "http://jabber.org/protocol/offline": {
        "text-single": "number_of_messages",
    },
    "http://jabber.org/protocol/pubsub#meta-data": {
        "jid-multi": "pubsub#contact pubsub#owner pubsub#publisher",
        "jid-single": "pubsub#creator",
        "list-single": "pubsub#access_model pubsub#language pubsub#publish_model",
        "text-single": (
            "pubsub#creation_date pubsub#description pubsub#max_items "
            "pubsub#num_subscribers pubsub#title pubsub#type"
        ),
    },
    "http://jabber.org/protocol/pubsub#node_config": {
        "boolean": (
            "pubsub#deliver_notifications pubsub#deliver_payloads pubsub#notify_config "
            "pubsub#notify_delete pubsub#notify_retract pubsub#notify_sub "
            "pubsub#persist_items pubsub#presence_based_delivery pubsub#purge_offline "
            "pubsub#subscribe pubsub#tempsub"
        ),
        "jid-multi": "pubsub#contact",
        "list-multi": "pubsub#roster_groups_allowed",
        "list-single": (
            "pubsub#access_model pubsub#itemreply pubsub#language pubsub#node_type "
            "pubsub#notification_type pubsub#publish_model pubsub#publish_node_full "
            "pubsub#send_last_published_item"
        ),
        "text-single": (
            "pubsub#body_xslt pubsub#dataform_xslt pubsub#description pubsub#item_expire "
            "pubsub#max_items pubsub#max_payload_size pubsub#title pubsub#type"
        ),
    },
    "http://jabber.org/protocol/pubsub#subscribe_authorization": {
        "boolean": "pubsub#allow",
        "jid-single": "pubsub#subscriber_jid",
        "text-single": "pubsub#node pubsub#subid",
    },
    "http://jabber.org/protocol/pubsub#subscribe_options": {
        "boolean": "pubsub#deliver pubsub#digest pubsub#include_body",
        "list-multi": "pubsub#show-values",
        "list-single": "pubsub#subscription_depth pubsub#subscription_type",
        "text-single": "pubsub#digest_frequency pubsub#expire",
    },
    "jabber:iq:register": {
        "hidden": "answers challenge sid",
        "text-private": "password",
        "text-single": (
            "SHA-256 address audio_recog city date email first key last misc name nick "
            "ocr phone picture_q picture_recog qa speech_q speech_recog state text url "
            "username video_q video_recog zip"
        ),
    },
    "jabber:iq:register:cancel": {
        "text-private": "password",
        "text-single": "username",
    },
    "jabber:iq:register:changepassword": {
        "text-private": "old_password password",
        "text-single": "username",
    },
    "jabber:iq:search": {
        "text-single": "email first last nick",
    },
    "urn:xmpp:captcha": {
        "hidden": "answers challenge from sid",
        "text-single": (
            "SHA-256 audio_recog ocr picture_q picture_recog qa speech_q speech_recog "
            "video_q video_recog"
        ),
    },
    "urn:xmpp:dataforms:softwareinfo": {
        "text-single": "icon os os_version software software_version",
    },
    "urn:xmpp:hats:commands": {
        "text-single": "hats#hash hats#hue hats#jid hats#title hats#uri",
    },
    "urn:xmpp:invite#invitation": {
        "text-single": "expiry landing-url uri",
    },
    "urn:xmpp:mam:2": {
        "jid-single": "with",
        "text-multi": "ids",
        "text-single": "after-id before-id end start",
    },
    "urn:xmpp:push:summary": {
        "jid-single": "last-message-sender",
        "text-single": "last-message-body message-count pending-subscription-count",
    },
    "urn:xmpp:sos:0": {
        "list-multi": "external-status-addresses",
    },
}

REGISTRY: dict[str, dict[str, str]] = {
    form_type: {var: kind for kind, names in kinds.items() for var in names.split()}
    for form_type, kinds in _REGISTERED.items()
}
"""FORM_TYPE -> name of a field -> its type."""

#: Names of those who are not the registrar: Clark's notation, or as they once had to begin.
_EXTENSION = re.compile(r"\{[^{}]+\}.+|x-.+", re.S).fullmatch


def kind_of(form: Form, field: Field) -> str:
    """The type of a field: as it says itself, or as it is registered for such forms."""
    known = REGISTRY.get(form.form_type or "", {})
    return field.type or known.get(field.var or "", "text-single")


def irregular(form: Form) -> dict[str, str]:
    """Name of a field -> what the registry says against it; nothing of forms it does not know.

    Not a reason to refuse a form of somebody else's: servers add fields of their own.
    """
    known = REGISTRY.get(form.form_type or "")
    if known is None:
        return {}
    found: dict[str, str] = {}
    for field in form.fields:
        var, kind = field.var, field.type
        if var is None or var == FORM_TYPE or _EXTENSION(var) or kind == "fixed":
            continue
        if var not in known:
            found[var] = f"is no field of {form.form_type}"
        elif kind not in (None, "hidden", known[var]):
            found[var] = f"is {known[var]}, not {kind}"
    return found


def answers(form: Form) -> dict[str, Value]:
    """Name -> value of each field, by the types that it or the registry tells.

    What is not of its type is the text, or the lines, that stand there.
    """
    found: dict[str, Value] = {}
    for field in reversed(form.fields):
        if field.var is None or field.var == FORM_TYPE or field.type == "fixed":
            continue
        kind = kind_of(form, field)
        try:
            found[field.var] = typed(Field(field.var, kind, validate=field.validate), field.values)
        except ValueError:
            found[field.var] = field.values if len(field.values) > 1 else field.value
    return found
