//! Servers that run on Windows.

use super::{Row, check};

#[test]
fn m_63_exchange_and_other_windows_servers() {
    check(&[
        Row {
            family: "Exchange 5.5",
            from: "System Administrator <postmaster@x.example>",
            subject: "Undeliverable: Your ticket",
            text: "Your message\n\n  To:      anna.other@x.example\n  Subject: Your ticket\n  Sent:    Mon, \
                   2 Mar 2026 10:00:00 +0100\n\ndid not reach the following \
                   recipient(s):\n\nanna@x.example on Mon, 2 Mar 2026 10:00:02 +0100\n    The recipient \
                   name is not recognized\n    MSEXCH:IMS:X:Y:Z 0 (000C05A6) Unknown Recipient\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Exchange 5.5, X.400",
            from: "System Administrator <postmaster@x.example>",
            subject: "Undeliverable: Your ticket",
            text: "Your message\n\n  To:      anna\n  Subject: Your ticket\n\ndid not reach the following \
                   recipient(s):\n\nc=US;a= ;p=X;o=Y;dda:SMTP=anna@x.example; on Mon, 2 Mar 2026\n10:00:02 \
                   +0100\n    The recipient name is not recognized\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Exchange 2007 and later",
            from: "<postmaster@x.example>",
            subject: "Undeliverable: Your ticket",
            text: "Delivery has failed to these recipients or groups:\n\nAnna Berg \
                   (anna@x.example)<mailto:anna@x.example>\nThe email address wasn’t found at the \
                   destination domain.\n\nDiagnostic information for administrators:\n\nGenerating server: \
                   mx.x.example\n\nanna@x.example\nRemote Server returned '550 5.1.10 \
                   RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address \
                   lookup'\n\nOriginal message headers:\n\nReceived: from a by b\n",
            says: "anna@x.example failed 5.1.10",
        },
        Row {
            family: "Microsoft SMTP",
            from: "postmaster@x.example",
            subject: "Delivery Status Notification (Failure)",
            text: "This is an automatically generated Delivery Status Notification.\n\nDelivery to the \
                   following recipients failed.\n\n       anna@x.example\n",
            says: "anna@x.example failed -",
        },
        Row {
            family: "Domino",
            from: "Postmaster@x.example",
            subject: "DELIVERY FAILURE: User anna (anna@x.example) not listed in Domino Directory",
            text: "Your message\n\n  Subject: Your ticket\n\nwas not delivered to:\n\n  \
                   anna@x.example\n\nbecause:\n\n  User anna (anna@x.example) not listed in Domino \
                   Directory\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Lotus SMTP MTA",
            from: "POSTMASTER@gw.example",
            subject: "Undeliverable message",
            text: "------- Failure Reasons  --------\n\nUser  not listed in public Name & Address \
                   Book\nanna@x.example\n\n------- Returned Message --------\n\nReceived: from a\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "GroupWise",
            from: "\"Mailer-Daemon\" <postmaster@gw.example>",
            subject: "Message status - undeliverable",
            text: "The message that you sent was undeliverable to the following:\n\tanna@x.example (550 no \
                   such recipient)\n\nPossibly truncated original message follows:\n\nReceived: from a\n",
            says: "anna@x.example failed 5.0.0",
        },
        Row {
            family: "IMail",
            from: "\"Postmaster\" <postmaster@us.example>",
            subject: "Undeliverable Mail",
            text: "Unknown user: anna@x.example\n\nRCPT TO generated following response:\n553 5.3.0 \
                   <anna@x.example>... Addressee unknown\n\nOriginal message follows.\n\nReceived: from a\n",
            says: "anna@x.example failed 5.3.0",
        },
        Row {
            family: "IMail, full",
            from: "\"Postmaster\" <postmaster@us.example>",
            subject: "Undeliverable Mail",
            text: "User mailbox exceeds allowed size: anna@x.example\n\nOriginal message follows.\n",
            says: "anna@x.example failed 5.2.2",
        },
        Row {
            family: "MDaemon",
            from: "MDaemon@mx.example",
            subject: "Warning: anna@x.example - User unknown!",
            text: "anna@x.example - no such user here.\n\nThere is no user by that name at this server.\n\n: \
                   Message contains [1] file attachments\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "MDaemon, permanent",
            from: "MDaemon at mx.example <MDaemon@mx.example>",
            subject: "Permanent Delivery Failure",
            text: "The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more \
                   unsuccessful delivery attempts the attached message has been removed from the mail \
                   queue.\n\nFAILED ADDRESSES:\n\nanna@x.example -> mx.x.example said 550 \
                   5.1.1\n\n--- Session Transcript ---\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Mercury",
            from: "Electronic Postmaster <postmaster@mx.example>",
            subject: "Mail failure - no such user",
            text: "User \"anna@x.example\" not known at this site.\n\n-------------- Returned message \
                   follows -------------\nReceived: from a\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "hMailServer",
            from: "mailer-daemon@mx.example",
            subject: "Message undeliverable: Your ticket",
            text: "Your message did not reach some or all of the intended recipients.\n\n   Sent: Mon, 2 Mar \
                   2026 10:00:00 +0100\n   Subject: Your ticket\n\nThe following recipient(s) could not be \
                   reached:\n\nanna@x.example\n   Error Type: SMTP\n   Remote server (192.0.2.9) issued an \
                   error.\n   hMailServer sent: RCPT TO:<anna@x.example>\n   Remote server replied: 550 \
                   5.1.1 nobody\n\nhMailServer\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "MailEnable",
            from: "postmaster@mx.example",
            subject: "Message Delivery Failure",
            text: "MailEnable: Message could not be delivered to some recipients.\nThe following \
                   recipient(s) could not be reached:\n\n\tRecipient: [SMTP:anna@x.example]\n\tReason: \
                   Remote SMTP Server Returned: 550 5.1.1 nobody\n\nMessage headers follow:\n\nReceived: \
                   from a\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "SmarterMail",
            from: "\"System Administrator\" <postmaster@mx.example>",
            subject: "Delivery Failure",
            text: "Could not deliver message to the following recipient(s):\n\nFailed Recipient: \
                   anna@x.example\nReason: Remote host said: 550 5.1.1 nobody\n\n   -- The header and top \
                   20 lines of the message follows --\n\nReceived: from a\n",
            says: "anna@x.example failed 5.1.1",
        },
        Row {
            family: "Kerio",
            from: "Mail Delivery Subsystem <mailer-daemon@mx.example>",
            subject: "Undeliverable: Your ticket",
            text: "Your message was not delivered to following recipients:\n\n<anna@x.example>: \
                   mx.x.example: 550 5.1.1 nobody\n",
            says: "anna@x.example failed 5.1.1",
        },
    ]);
}
