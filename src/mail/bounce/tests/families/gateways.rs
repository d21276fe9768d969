//! Gateways, providers, and servers of other makes.

use super::{Row, check};

#[test]
fn m_63_gateways_and_providers() {
    check(&[
        Row {
            family: "James, which answers with the subject of the mail",
            from: "postmaster@mx.example",
            subject: "Re: Your ticket",
            text: "Hi. This is the James mail server at mx.example.\nI'm afraid I wasn't able to deliver \
                   your message to the following addresses.\nThis is a permanent error; I've given up. \
                   Sorry it didn't work out.  Below\nI include the list of recipients and the reason why I \
                   was unable to deliver\nyour message.\n\nFailed recipient(s):\nanna@x.example\n\nError \
                   message:\n550 5.1.1 nobody\n\n--- Below this line is a copy of the \
                   message.\n\nReturn-Path: <s@us.example>\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "a notice that wraps another in its text",
            from: "MAILER-DAEMON@mx.example",
            subject: "Undelivered Mail Returned to Sender",
            text: "Your mail could not be delivered. See below.\n\n-------- Returned message \
                   --------\nReturn-Path: <>\nFrom: MAILER-DAEMON@relay.example\nTo: \
                   support@us.example\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; \
                   relay.example\n\nFinal-Recipient: rfc822; anna@x.example\nAction: failed\nStatus: \
                   5.2.1\n\n--b--\n",
            says: "anna@x.example failed 5.2.1",
        },
        Row {
            family: "InterMail",
            from: "Mail Administrator <Postmaster@mx.example>",
            subject: "Mail System Error - Returned Mail",
            text: "This Message was undeliverable due to the following reason:\n\nEach of the following \
                   recipients was rejected by a remote mail server.\nThe reasons given by the server are \
                   included to help you determine why\neach recipient was rejected.\n\n    Recipient: \
                   <anna@x.example>\n    Reason:    <anna@x.example>... User unknown\n\n\nPlease reply to \
                   <Postmaster@mx.example>\nif you feel this message to be in error.\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Gmail, older",
            from: "Mail Delivery Subsystem <mailer-daemon@gmail.example>",
            subject: "Delivery Status Notification (Failure)",
            text: "Delivery to the following recipient failed permanently:\n\n     \
                   anna@x.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your \
                   message, but it was rejected by the recipient domain. The error that the other server \
                   returned was: 550 550 5.1.1 nobody (state 14).\n\n----- Original message -----\n\nTo: \
                   anna@x.example\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Gmail, newer",
            from: "Mail Delivery Subsystem <mailer-daemon@gmail.example>",
            subject: "Delivery Status Notification (Failure)",
            text: "** Address not found **\n\nYour message wasn't delivered to anna@x.example because the \
                   address couldn't be found, or is unable to receive mail.\n\nLearn more here: \
                   https://mail.example/help\n\nThe response was:\n\n550 5.1.1 The email account that you \
                   tried to reach does not exist.\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Gmail, delayed",
            from: "Mail Delivery Subsystem <mailer-daemon@gmail.example>",
            subject: "Delivery Status Notification (Delay)",
            text: "** Delivery incomplete **\n\nThere was a temporary problem delivering your message to \
                   anna@x.example. Gmail will retry for 45 more hours. You'll be notified if the delivery \
                   fails permanently.\n\nThe response was:\n\nDNS Error: 12345 DNS type 'mx' lookup \
                   responded with code SERVFAIL\n",
            says: "anna@x.example delayed 4.4.7",
        },
        Row {
            family: "AOL",
            from: "\"Mail Delivery Subsystem\" <MAILER-DAEMON@aol.example>",
            subject: "Returned mail: User unknown",
            text: "*** ATTENTION ***\n\nYour e-mail is being returned to you because there was a problem with \
                   its\ndelivery.\n\n   ----- The following addresses had permanent fatal errors \
                   -----\n<anna@aol.example>\n\n   ----- Transcript of session follows -----\n550 \
                   <anna@aol.example>... User unknown\n",
            says: "anna@aol.example failed 5.0.0",
        },
        Row {
            family: "Biglobe",
            from: "postmaster@provider.example",
            subject: "Returned mail: Service unavailable",
            text: "   ----- The following addresses had delivery problems -----\nanna@x.example\n\n   ----- \
                   Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded \
                   the local limit.\n",
            says: "anna@x.example failed 5.2.2",
        },
        Row {
            family: "a mobile provider in Japan",
            from: "Postmaster@mobile.example",
            subject: "Mail System Error - Returned Mail",
            text: "次のあて先へのメッセージはエラーのため送信できませんでした。\n\nEach of the following recipients was rejected by a \
                   remote\nmail server.\n    Recipient: <anna@x.example>\n    >>> RCPT \
                   TO:<anna@x.example>\n    <<< 550 <anna@x.example>: User unknown\n",
            says: "anna@x.example failed 5.0.0",
        },
        Row {
            family: "m-FILTER",
            from: "<>",
            subject: "failure notice",
            text: "このメールは自動的に生成して送信しています。\n\n以下のメールアドレスへの送信に失敗しました。\nanna@x.example\n\n\
                   -------server message\n550 5.1.1 anna@x.example... No such user\n\n-------SMTP \
                   command\nDATA\n\n-------original mail info\nFrom: support@us.example\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "InterScan",
            from: "imss@gw.example",
            subject: "Mail could not be delivered",
            text: "****** Message from InterScan Messaging Security Suite ******\n\nSent <<< RCPT \
                   TO:<anna@x.example>\nReceived >>> 550 5.1.1 unknown user.\n\nUnable to deliver message \
                   to <anna@x.example> (and other recipients in the same domain).\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "MailMarshal",
            from: "postmaster@gw.example",
            subject: "Undeliverable Mail: \"Your ticket\"",
            text: "Your message:\n   From:    support@us.example\n   Subject: Your ticket\n\nCould not be \
                   delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected: \
                   \n    anna@x.example\n\nAdditional Information\n======================\nOriginal \
                   Sender:    <support@us.example>\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "MailFoundry",
            from: "MAILER-DAEMON@gw.example",
            subject: "Message delivery has failed",
            text: "Unable to deliver message to: <anna@x.example>\nDelivery failed for the following \
                   reason:\nServer mx.x.example[192.0.2.9] failed with: 550 <anna@x.example> No such user \
                   here\n\nThis has been a permanent failure.  No further delivery attempts will be made.\n",
            says: "anna@x.example failed 5.0.0",
        },
        Row {
            family: "Symantec",
            from: "Symantec_AntiVirus_for_SMTP_Gateways@gw.example",
            subject: "Delivery failure notification",
            text: "Your message with Subject: Your ticket\n\ncould not be delivered to the following \
                   recipients:\n\nanna@x.example\n\nPlease do not resend your original message.\n\nDelivery \
                   attempts history:\n\nMon, 2 Mar 2026 10:00:00 +0100\nRCPT TO:<anna@x.example> 550 5.1.1 \
                   nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "WorkMail",
            from: "MAILER-DAEMON@mail.example",
            subject: "Delivery Status Notification (Failure)",
            text: "An error occurred while trying to deliver the mail to the following \
                   recipients:\nanna@x.example\n\nTechnical report:\n\nReporting-MTA: dsn; \
                   out.example\n\nAction: failed\nFinal-Recipient: rfc822; anna@x.example\nDiagnostic-Code: \
                   smtp; 550 5.1.1 nobody\nStatus: 5.1.1\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Courier",
            from: "\"Courier mail server at mx.example\" <@>",
            subject: "NOTICE: mail delivery status.",
            text: "This is a delivery status notification from mx.example, running the Courier mail \
                   server.\n\nThe original message was received on Mon, 02 Mar 2026 10:00:00 +0100\nfrom \
                   us.example\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be \
                   delivered:\n\n<anna@x.example>:\n    mx.x.example [192.0.2.9]:\n>>> RCPT \
                   TO:<anna@x.example>\n<<< 550 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "James",
            from: "postmaster@mx.example",
            subject: "Delivery failed",
            text: "Hi. This is the James mail server at mx.example.\nI'm afraid I wasn't able to deliver your \
                   message to the following addresses.\nThis is a permanent error; I've given up. Sorry it \
                   didn't work out.  Below\nI include the list of recipients and the reason why I was unable \
                   to deliver\nyour message.\n\nFailed recipient(s):\nanna@x.example\n\nError \
                   message:\n550 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Haraka",
            from: "MAILER-DAEMON@mx.example",
            subject: "failure notice",
            text: "Hi. This is the Haraka Mailer program at mx.example.\nI'm afraid I wasn't able to deliver \
                   your message to the following addresses.\nThis is a permanent error; I've given up. Sorry \
                   it didn't work out.\n\nIntended Recipients: <anna@x.example>\nFailure Reason: 550 5.1.1 \
                   nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "XMail",
            from: "\"Mail Delivery System\" <postmaster@mx.example>",
            subject: "[mx.example] Error sending message [1234] from [us.example]",
            text: "[<00>] XMail bounce: Rcpt=[anna@x.example];Error=[550 5.1.1 nobody]\n\n[<01>] Error \
                   sending message [1234] from [us.example].\n\nID:        <1234>\nMail From: \
                   <support@us.example>\nRcpt To:   <anna@x.example>\nServer:    <mx.x.example>\n\n[<02>] \
                   The reason of the delivery failure was:\n\n550 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "PMDF",
            from: "PMDF Internet Messaging <postmaster@mx.example>",
            subject: "Delivery Notification: Delivery has failed",
            text: "This report relates to a message you sent with the following header fields:\n\n  \
                   Message-id: <1@us.example>\n  Subject: Your ticket\n\nYour message cannot be delivered to \
                   the following recipients:\n\n  Recipient address: anna@x.example\n  Reason: Server \
                   rejected RCPT TO address: 550 5.1.1 nobody.\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Demon",
            from: "Mail Delivery System <Mailer-Daemon@pop.example>",
            subject: "Mail delivery failure",
            text: "This message was created automatically by mail delivery\nsoftware. A message that you sent \
                   could not be delivered\nto all of its recipients.\n\nThe following message, addressed to \
                   'anna@x.example',\nfailed because it has not been collected after 30 days\n\n---- START \
                   OF RETURNED MESSAGE ----\nReceived: from a\n",
            says: "anna@x.example failed -",
        },
        Row {
            family: "IronPort",
            from: "Mail Delivery System <MAILER-DAEMON@gw.example>",
            subject: "Delivery Status Notification (Failure)",
            text: "The following message to <anna@x.example> was undeliverable.\nThe reason for the \
                   problem:\n5.1.0 - Unknown address error 550-'nobody here'\n",
            says: "anna@x.example failed 5.1.0",
        },
        Row {
            family: "PowerMTA",
            from: "mailer-daemon@gw.example",
            subject: "Delivery report",
            text: "Hello, this is the mail server on gw.example.\n\nI am sending you this message to inform \
                   you on the delivery status of a\nmessage you previously sent.  Immediately below you \
                   will find a list of\nthe affected recipients.\n\n  <anna@x.example>  delivery to \
                   mx.x.example failed: 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "CommuniGate",
            from: "<MAILER-DAEMON@gw.example>",
            subject: "Undeliverable mail: Your ticket",
            text: "Failed to deliver to 'anna@x.example'\nLOCAL module(account anna) reports:\n account is \
                   full (quota exceeded)\n",
            says: "anna@x.example failed 5.2.2",
        },
        Row {
            family: "CompuServe",
            from: "Provider Postmaster <auto@provider.example>",
            subject: "Undeliverable Message",
            text: "Your message could not be delivered as addressed.\n\n\
                   Invalid receiver address: anna@x.example\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "a provider of text messages",
            from: "sysadmin@sms.example",
            subject: "Undeliverable Message",
            text: "Error: No valid recipients for this MM\n\nMessage could not be delivered to \
                   mobile.\n\n  RCPT TO: 4915550000@sms.example\n",
            says: "4915550000@sms.example failed -",
        },
        Row {
            family: "a free mail provider in China",
            from: "PostMaster@provider.example",
            subject: "来自provider.example的退信",
            text: "很抱歉您发送的邮件被退回，以下是该邮件的相关信息：\n\n被退回邮件\n收件人：anna@x.example\n\n\
                   退信原因\n该邮箱不存在，无法送达。\nhost mx.x.example said: 550 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
    ]);
}
