//! One notice of each family of mail systems: who did not get the mail, and why (M-61…M-63b).

mod gateways;
mod windows;

use super::*;

/// A notice, and what it says: `address action status`, several separated by `; `.
struct Row {
    family: &'static str,
    from: &'static str,
    subject: &'static str,
    text: &'static str,
    says: &'static str,
}

/// What the bounce says, as the rows have it.
fn said(bounce: &Bounce) -> String {
    let one = |recipient: &BouncedRecipient| {
        let (action, status) = (recipient.action.as_deref(), recipient.status.as_deref());
        format!("{} {} {}", recipient.address, action.unwrap_or("-"), status.unwrap_or("-"))
    };
    bounce.recipients.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for Row { family, from, subject, text, says } in rows {
        for path in ["", "Return-Path: <>\n"] {
            let raw = format!(
                "{path}From: {from}\nTo: support@us.example\nSubject: {subject}\n\
                 Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
            );
            let told = match message(&raw).report {
                Some(MachineReport::Bounce(bounce)) => said(&bounce),
                other => format!("{other:?}"),
            };
            if told != *says {
                wrong.push(format!("{family}: {told}\n  not {says}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn m_63_qmail_and_its_kin() {
    check(&[
        Row {
            family: "qmail",
            from: "MAILER-DAEMON@mx.example",
            subject: "failure notice",
            text: "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver \
                   your message to the following addresses.\nThis is a permanent error; I've given up. \
                   Sorry it didn't work out.\n\n<anna@x.example>:\n192.0.2.7 does not like \
                   recipient.\nRemote host said: 550 5.1.1 <anna@x.example>: no such user\nGiving up on \
                   192.0.2.7.\n\n<ben@y.example>:\nSorry, no mailbox here by that name. \
                   (#5.1.1)\n\n--- Below this line is a copy of the message.\n\nReturn-Path: \
                   <support@us.example>\nTo: carl@z.example\n\nHello",
            says: "anna@x.example failed 5.1.1; ben@y.example failed 5.1.1",
        },
        Row {
            family: "qmail, long in the queue",
            from: "MAILER-DAEMON@mx.example",
            subject: "failure notice",
            text: "Hi. This is the qmail-send program at mx.example.\n\n<anna@x.example>:\nSorry, I wasn't \
                   able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this \
                   message has been in the queue too long.\n\n--- Enclosed is a copy of the message.\n",
            says: "anna@x.example failed 4.4.1",
        },
        Row {
            family: "Yahoo",
            from: "MAILER-DAEMON@yahoo.example",
            subject: "Failure Notice",
            text: "Sorry, we were unable to deliver your message to the following \
                   address.\n\n<anna@x.example>:\n554: delivery error: dd Not a valid recipient - \
                   [-9]\n\n--- Below this line is a copy of the message.\n\nReceived: from a by b\n",
            says: "anna@x.example failed 5.0.0",
        },
        Row {
            family: "Outblaze",
            from: "<MAILER-DAEMON@outblaze.example>",
            subject: "Delivery failure",
            text: "Message from outblaze.example.\nUnable to deliver message to the following \
                   address(es).\n\n<anna@x.example>:\nThis user doesn't have a x.example account \
                   (anna@x.example) [0]\n\n--- Original message follows.\n\nReturn-Path: <s@us.example>\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Netqmail of a Chinese provider",
            from: "MAILER-DAEMON@mail.example",
            subject: "系统退信/Systems bounce",
            text: "抱歉，您的邮件被退回来了……\n\n原邮件信息：\n收件人：<anna@x.example>\n\n退信原因：\n收件人邮件地址不存在。\n\
                   Remote host said: 550 Mailbox not found\n",
            says: "anna@x.example failed 5.0.0",
        },
    ]);
}

#[test]
fn m_63_postfix_and_its_kin() {
    check(&[
        Row {
            family: "Postfix",
            from: "MAILER-DAEMON@mx.example (Mail Delivery System)",
            subject: "Undelivered Mail Returned to Sender",
            text: "This is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your \
                   message could not\nbe delivered to one or more recipients. It's attached \
                   below.\n\nFor further assistance, please send mail to postmaster.\n\nIf you do so, \
                   please include this problem report. You can\ndelete your own text from the attached \
                   returned message.\n\n                   The mail system\n\n<anna@x.example>: host \
                   mx.x.example[192.0.2.9] said: 550 5.1.1\n    <anna@x.example>: Recipient address \
                   rejected: User unknown (in reply to\n    RCPT TO command)\n\n<ben@y.example> (expanded \
                   from <b@us.example>): host mx.y.example[192.0.2.8]\n    said: 452 4.2.2 mailbox full \
                   (in reply to RCPT TO command)\n",
            says: "anna@x.example failed 5.1.1; ben@y.example failed 4.2.2",
        },
        Row {
            family: "Postfix, delayed",
            from: "Mail Delivery System <MAILER-DAEMON@mx.example>",
            subject: "Delayed Mail (still being retried)",
            text: "This is the mail system at host mx.example.\n\n#######\n# THIS IS A WARNING ONLY.  YOU DO \
                   NOT NEED TO RESEND YOUR MESSAGE. #\n#######\n\nYour message could not be delivered for \
                   more than 4 hour(s).\nIt will be retried until it is 5 day(s) \
                   old.\n\n<anna@x.example>: connect to mx.x.example[192.0.2.9]:25: Connection timed \
                   out\n",
            says: "anna@x.example delayed 4.4.7",
        },
        Row {
            family: "a renamed Postfix",
            from: "Postmaster <postmaster@mx.example>",
            subject: "Undelivered Mail Returned to Sender",
            text: "This is the Acme relay program at host mx.example.\n\nI'm sorry to have to inform you that \
                   the message returned\nbelow could not be delivered to one or more \
                   destinations.\n\n<anna@x.example>: Name service error for domain x.example: Host not \
                   found\n",
            says: "anna@x.example failed -",
        },
        Row {
            family: "Zoho",
            from: "mailer-daemon@mail.zoho.example",
            subject: "Undelivered Mail Returned to Sender",
            text: "This message was created automatically by mail delivery software.\n A message that you \
                   sent could not be delivered to one or more of its recipients. This is a permanent \
                   error.\n\nanna@x.example Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 no such \
                   user\n\nReceived:from mail.zoho.example by mx.zoho.example\n",
            says: "anna@x.example failed 5.1.1",
        },
    ]);
}

#[test]
fn m_63_exim_and_its_kin() {
    check(&[
        Row {
            family: "Exim",
            from: "Mail Delivery System <Mailer-Daemon@mx.example>",
            subject: "Mail delivery failed: returning message to sender",
            text: "This message was created automatically by mail delivery software.\n\nA message that you \
                   sent could not be delivered to one or more of its\nrecipients. This is a permanent \
                   error. The following address(es) failed:\n\n  anna@x.example\n    host mx.x.example \
                   [192.0.2.9]\n    SMTP error from remote mail server after RCPT \
                   TO:<anna@x.example>:\n    550 5.1.1 unknown user\n  ben@y.example\n    mailbox is \
                   full: retry timeout exceeded\n  carl@z.example\n    (generated from \
                   c@us.example)\n    Unrouteable address\n\n------ This is a copy of the message, \
                   including all the headers. ------\n\nReturn-path: <support@us.example>\n",
            says: "anna@x.example failed 5.1.1; ben@y.example failed 5.2.2; carl@z.example failed -",
        },
        Row {
            family: "Exim, delayed",
            from: "Mail Delivery System <Mailer-Daemon@mx.example>",
            subject: "Warning: message 1abcde-000000-AA delayed 24 hours",
            text: "This message was created automatically by mail delivery software.\nA message that you \
                   sent has not yet been delivered to one or more of its\nrecipients after more than 24 \
                   hours on the queue on mx.example.\n\nThe message identifier is:     \
                   1abcde-000000-AA\nThe subject of the message is: Your ticket\nThe address to which \
                   the message has not yet been delivered is:\n\n  anna@x.example\n    Delay reason: \
                   Connection refused\n\nNo action is required on your part. Delivery attempts will \
                   continue for\nsome time.\n",
            says: "anna@x.example delayed 4.4.7",
        },
        Row {
            family: "1&1",
            from: "Mail Delivery System <mailer-daemon@kunden.example>",
            subject: "Mail delivery failed: returning message to sender",
            text: "This message was created automatically by mail delivery software.\n\nA message that you \
                   sent could not be delivered to one or more of\nits recipients. This is a permanent \
                   error. The following address\nfailed:\n\n\"anna@x.example\":\nSMTP error from remote \
                   server after RCPT command:\nhost: mx.x.example\n5.2.2 mailbox full\n\n--- The header \
                   of the original message is following. ---\n\nReceived: from a by b\n",
            says: "anna@x.example failed 5.2.2",
        },
        Row {
            family: "DragonFly",
            from: "MAILER-DAEMON <>",
            subject: "Mail delivery failed",
            text: "This is the DragonFly Mail Agent v0.13 at host.example.\n\nThere was an error delivering \
                   your mail to <anna@x.example>.\n\nmx.x.example [192.0.2.9] did not like our RCPT \
                   TO:\n550 5.7.1 <anna@x.example>: no\n\nMessage headers follow.\n\nReceived: from root \
                   (uid 0)\n",
            says: "anna@x.example failed 5.7.1",
        },
        Row {
            family: "mxlogic",
            from: "Mail Delivery System <MAILER-DAEMON@relay.example>",
            subject: "Mail delivery failed",
            text: "This message was created automatically by mail delivery software.\n\nA message that you \
                   have sent could not be delivered to one or more\nrecipients.  This is a permanent \
                   error.  The following address failed:\n\n  <anna@x.example>: 550 5.1.1 \
                   <anna@x.example>: user unknown\n\nIncluded is a copy of the message \
                   header:\n------\nReceived: from a\n",
            says: "anna@x.example failed 5.1.1",
        },
    ]);
}

#[test]
fn m_63_sendmail_and_its_kin() {
    check(&[
        Row {
            family: "Sendmail",
            from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
            subject: "Returned mail: see transcript for details",
            text: "The original message was received at Mon, 2 Mar 2026 10:00:00 +0100\nfrom \
                   localhost [127.0.0.1]\n\n   ----- The following addresses had permanent fatal errors \
                   -----\n<anna@x.example>\n    (reason: 550 5.1.1 User unknown)\n<ben@y.example>\n    \
                   (reason: 451 4.3.0 try later)\n\n   ----- Transcript of session follows -----\n... \
                   while talking to mx.x.example.:\n>>> RCPT To:<anna@x.example>\n<<< 550 5.1.1 User \
                   unknown\n550 5.1.1 <anna@x.example>... User unknown\n",
            says: "anna@x.example failed 5.1.1; ben@y.example failed 4.3.0",
        },
        Row {
            family: "Sendmail, delayed",
            from: "Mail Delivery Subsystem <MAILER-DAEMON@mx.example>",
            subject: "Warning: could not send message for past 4 hours",
            text: "    **********************************************\n    **      THIS IS A WARNING \
                   MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n    \
                   **********************************************\n\nThe original message was received at \
                   Mon, 2 Mar 2026 10:00:00 +0100\n\n   ----- Transcript of session follows \
                   -----\n<anna@x.example>... Deferred: Connection timed out with mx.x.example.\nWarning: \
                   message still undelivered after 4 hours\nWill keep trying until message is 5 days \
                   old\n",
            says: "anna@x.example delayed 4.4.7",
        },
        Row {
            family: "Sendmail 5",
            from: "MAILER-DAEMON@mx.example (Mail Delivery Subsystem)",
            subject: "Returned mail: Host unknown",
            text: "   ----- Transcript of session follows -----\n550 <anna@x.example>... Host unknown\n554 \
                   <ben@y.example>... Remote protocol error\n\n   ----- Unsent message follows \
                   -----\nReceived: by mx.example\nTo: anna@x.example\n",
            says: "anna@x.example failed 5.0.0; ben@y.example failed 5.0.0",
        },
        Row {
            family: "Mail2000",
            from: "\"Mail Deliver System\" <MAILER-DAEMON>",
            subject: "Returned Mail: User unknown",
            text: "The original message was received at Mon, 2 Mar 2026 10:00:00 +0800\nfrom \
                   support@us.example\n\n---The following addresses had delivery \
                   errors---\n\nanna@x.example [User unknown]\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "OpenSMTPD",
            from: "Mailer Daemon <MAILER-DAEMON@mx.example>",
            subject: "Delivery status notification: error",
            text: "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An \
                   error has occurred while attempting to deliver a message for\n    the following list of \
                   recipients:\n\nanna@x.example: 550 5.1.1 no such user\nben@y.example: Network error on \
                   destination MXs\n\n    Below is a copy of the original message:\n\nReceived: from a\n",
            says: "anna@x.example failed 5.1.1; ben@y.example failed -",
        },
        Row {
            family: "Smail",
            from: "<MAILER-DAEMON@mx.example>",
            subject: "mail failed, returning to sender",
            text: "|------------------------- Message log follows: -------------------------|\n no valid \
                   recipients were found for this message\n|------------------------- Failed addresses \
                   follow: ---------------------|\n <anna@x.example> ... unknown user\n|\
                   ------------------------- Message text follows: ------------------------|\nReceived: \
                   from a\n",
            says: "anna@x.example failed 5.1.1",
        },
    ]);
}
